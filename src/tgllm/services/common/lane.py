"""Lane: the key by which updates of one chat (and topic) are processed in order."""

from dataclasses import dataclass
from typing import Self

__all__ = ["Lane"]


@dataclass(frozen=True, slots=True)
class Lane:
    """A chat, or one topic of it, possibly through a business connection."""

    chat_id: int
    topic_id: int | None = None
    business_connection_id: str | None = None

    @property
    def key(self) -> str:
        """The lane as stored in the database."""
        parts = [self.business_connection_id or "", str(self.chat_id), str(self.topic_id or "")]
        return ":".join(parts)

    @classmethod
    def parse(cls, key: str) -> Self:
        """Parse a ``key``.

        Raises:
            ValueError: ``key`` is malformed.
        """
        connection, chat_id, topic_id = key.rsplit(":", 2)
        return cls(int(chat_id), int(topic_id) if topic_id else None, connection or None)
