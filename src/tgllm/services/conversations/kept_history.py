"""Histories in memory, so that a turn of a long conversation reads and converts only what is new."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tgllm.api import ModelRef
from tgllm.db.queries.contexts import HistoryMessage
from tgllm.services.conversations.history import to_chat_message

__all__ = ["KeptHistories"]

LEAST_MESSAGES: Final = 32
"""Messages of a history that is worth keeping; a shorter one is read nearly as fast."""
MOST_CHARS: Final = 2**23
"""Characters of all histories together, with ``PER_MESSAGE`` added for each message."""
PER_MESSAGE: Final = 500
_NOTHING: Final[Mapping[int, HistoryMessage]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _History:
    model: ModelRef
    messages: Mapping[int, HistoryMessage]
    chars: int


class KeptHistories:
    """The messages of each conversation as its last turn read them, up to a limit; the longest unused go first.

    The caller compares them with the database before each use, see ``contexts.newest``. Threads may share them.
    """

    def __init__(self, most_chars: int = MOST_CHARS) -> None:
        self._most_chars = most_chars
        self._histories: dict[int, _History] = {}
        self._chars = 0
        self._lock = threading.Lock()

    def of(self, conversation_id: int, model: ModelRef) -> Mapping[int, HistoryMessage]:
        """Return the messages by id that were read for a model; none if another one has answered since."""
        found = self._histories.get(conversation_id)
        return found.messages if found is not None and found.model == model else _NOTHING

    def keep(
        self, conversation_id: int, model: ModelRef, history: Sequence[HistoryMessage]
    ) -> Sequence[HistoryMessage]:
        """Keep a history in place of the conversation's former one; return it with the converted messages.

        Messages with files are not kept: the names of these may change.
        """
        if len(history) < LEAST_MESSAGES:
            with self._lock:
                self._drop(conversation_id)
            return history
        converted = [row if row.said is not None or row.parts_json else _converted(row, model) for row in history]
        kept = {row.id: row for row in converted if row.said is not None}
        chars = sum([len(row.text) for row in converted]) + PER_MESSAGE * len(kept)
        with self._lock:
            self._drop(conversation_id)
            if chars <= self._most_chars:
                self._histories[conversation_id] = _History(model, kept, chars)
                self._chars += chars
            while self._chars > self._most_chars:
                self._drop(next(iter(self._histories)))
        return converted

    def _drop(self, conversation_id: int) -> None:
        former = self._histories.pop(conversation_id, None)
        self._chars -= 0 if former is None else former.chars


def _converted(row: HistoryMessage, model: ModelRef) -> HistoryMessage:
    return row._replace(said=to_chat_message(row, model))
