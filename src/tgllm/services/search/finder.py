"""Finds messages in the conversations whose readers are those of a chat."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tgllm.db.engine.unit import Connection
from tgllm.db.tables.memory import message_search
from tgllm.db.tables.memory.message_search import StoredText
from tgllm.services.common.lane import Lane
from tgllm.services.search.folding import fold, words_of

__all__ = ["GRAM", "MOST_HITS", "Found", "find", "is_readable", "readable_lanes"]

GRAM: Final = 3
"""Length of the entries of the index; shorter words are looked for in all texts of the lanes."""
MOST_HITS: Final = 50
"""Most messages that a search returns, the newest ones."""
_PIECE: Final = 200
"""Messages that are read at once."""


@dataclass(frozen=True, slots=True)
class Found:
    """Result of a search."""

    words: list[str]
    """The folded words that were looked for; none: the query has no word."""
    hits: Sequence[StoredText]
    """The newest first."""
    is_all: bool
    """Whether there are no more."""


def readable_lanes(conn: Connection, lane: Lane) -> Sequence[str]:
    """Return the lanes in which everybody may read who reads an answer in ``lane``: those that a search there covers.

    These are all topics of a private chat or of a group. Messages to one person in a group, direct messages of a
    channel, and chats of a business connection have other readers than the rest of their chat: each is only searched
    in itself, and not from elsewhere.
    """
    if not _is_open(lane):
        return (lane.key,)
    return [key for key in message_search.lanes_of_chat(conn, lane.chat_id) if _is_open(Lane.parse(key))]


def is_readable(conn: Connection, lane: Lane, other: str) -> bool:
    """Return whether a search in ``lane`` covers the lane ``other``."""
    return other in readable_lanes(conn, lane)


def find(conn: Connection, lane: Lane, query: str, *, most: int = MOST_HITS, on_branch: bool = False) -> Found:
    """Return the newest messages that contain all words of a query.

    Args:
        conn: an open transaction.
        lane: where the search is made; see ``readable_lanes``.
        query: words; several ones between double quotes are one phrase.
        most: maximum number of hits.
        on_branch: whether to leave out messages that were taken back, cleared, or left by a fork.
    """
    words = words_of(query)
    if not words:
        return Found([], (), is_all=True)
    hits: list[StoredText] = []
    kept: dict[int, frozenset[int]] = {}
    for each in _matches(conn, readable_lanes(conn, lane), words):
        if on_branch:
            branch = kept.get(each.conversation_id)
            if branch is None:
                branch = kept[each.conversation_id] = message_search.on_branch(conn, each.conversation_id)
            if each.id not in branch:
                continue
        if len(hits) == most:
            return Found(words, hits, is_all=False)
        hits.append(each)
    return Found(words, hits, is_all=True)


def _grams_of(words: Sequence[str]) -> list[str]:
    """Return the entries of the index that a text with these words has."""
    return list(dict.fromkeys(word[at : at + GRAM] for word in words for at in range(len(word) - GRAM + 1)))


def _matches(conn: Connection, lanes: Sequence[str], words: Sequence[str]) -> Iterator[StoredText]:
    ids = message_search.matching(conn, lanes, _grams_of(words))
    for start in range(0, len(ids), _PIECE):
        for each in message_search.stored(conn, ids[start : start + _PIECE]):
            folded = fold(each.text)
            if all(word in folded for word in words):
                yield each


def _is_open(lane: Lane) -> bool:
    """Return whether all people of the chat read the lane."""
    return lane.telegram_chat_id is not None and not lane.is_apart
