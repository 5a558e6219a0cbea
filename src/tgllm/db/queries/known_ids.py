"""Table ``known_ids``: the newest message ids that the bot knows, its own and those of others.

Telegram counts messages up by one: in one sequence for all private chats and basic groups of an account, and in one
sequence for each supergroup and channel. An id between two known ones that is not known itself may be that of a message
whose sending was not confirmed.
"""

from collections.abc import Iterable
from typing import Final

from tgllm.db.engine.unit import Connection

__all__ = ["ACCOUNT", "HIGHEST", "KEPT", "known_above", "note", "sequence_of"]

ACCOUNT: Final = 0
"""The sequence of all private chats and basic groups."""
KEPT: Final = 1000
"""Newest ids of a sequence that are kept."""
_LAST_OF_ACCOUNT: Final = -1_000_000_000_000
"""Ids of supergroups and channels are not above it (Bot API: Chat)."""
HIGHEST: Final = f"""
    SELECT max(message_id) FROM known_ids WHERE sequence =
        CASE WHEN chat_id <= {_LAST_OF_ACCOUNT} THEN chat_id ELSE {ACCOUNT} END
"""  # noqa: S608  only constants are inserted
"""Query within a statement on rows with a ``chat_id``: the highest id in the sequence of the chat; NULL without any."""


def sequence_of(chat_id: int) -> int:
    """Return the sequence in which the messages of a chat are counted."""
    return chat_id if chat_id <= _LAST_OF_ACCOUNT else ACCOUNT


def note(conn: Connection, ids: Iterable[tuple[int, int]]) -> None:
    """Note messages that exist or have existed, given pairs of chat and message id."""
    values = [(sequence_of(chat_id), message_id) for chat_id, message_id in ids]
    conn.executemany(
        "INSERT INTO known_ids (sequence, message_id) VALUES (?, ?) ON CONFLICT (sequence, message_id) DO NOTHING",
        values,
    )
    conn.executemany(
        "DELETE FROM known_ids WHERE sequence = ? AND message_id <= ?",
        [(sequence, message_id - KEPT) for sequence, message_id in values],
    )


def known_above(conn: Connection, sequence: int, message_id: int) -> frozenset[int]:
    """Return the known ids of a sequence above an id."""
    query = "SELECT message_id FROM known_ids WHERE sequence = ? AND message_id > ?"
    return frozenset(row[0] for row in conn.execute(query, (sequence, message_id)))
