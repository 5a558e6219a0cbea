"""JSON of the messages of earlier requests: each turn of a conversation sends the former ones again."""

from collections.abc import Callable, Iterable
from typing import Final

from tgllm.api.types import ChatMessage

__all__ = ["KeptJson"]

MOST_BYTES: Final = 2**22
"""Bytes after which the messages that were not sent since are dropped."""


class KeptJson:
    """Encodes messages, and keeps what it has encoded for the same object, in two generations of limited size."""

    def __init__(self, encode: Callable[[ChatMessage], bytes], most_bytes: int = MOST_BYTES) -> None:
        """Use ``encode`` for a message that is not kept."""
        self._encode = encode
        self._most_bytes = most_bytes
        self._bytes = 0
        # By identity, since a message can't always be hashed. Its place in memory is its own while it is kept.
        self._now: dict[int, tuple[ChatMessage, bytes]] = {}
        self._before: dict[int, tuple[ChatMessage, bytes]] = {}

    def of(self, messages: Iterable[ChatMessage]) -> bytes:
        """Return the JSON of messages, separated by commas."""
        now = self._now
        pieces: list[bytes] = []
        for message in messages:
            found = now.get(id(message))
            pieces.append(self._found(message) if found is None else found[1])
        if self._bytes > self._most_bytes:
            self._now, self._before, self._bytes = {}, now, 0
        return b",".join(pieces)

    def _found(self, message: ChatMessage) -> bytes:
        found = self._before.get(id(message)) or (message, self._encode(message))
        self._now[id(message)] = found
        self._bytes += len(found[1])
        return found[1]
