"""A lane: the line in which updates of one chat (and topic) wait for each other."""

from dataclasses import dataclass
from typing import Self

__all__ = ["Lane"]


@dataclass(frozen=True, slots=True)
class Lane:
    """One place where a conversation goes on: a chat, or one topic of it, perhaps through a business account."""

    chat_id: int
    topic_id: int | None = None
    business_connection_id: str | None = None

    @property
    def key(self) -> str:
        """How the lane is written in the database."""
        parts = [self.business_connection_id or "", str(self.chat_id), str(self.topic_id or "")]
        return ":".join(parts)

    @classmethod
    def parse(cls, key: str) -> Self:
        """Read what ``key`` wrote.

        Raises:
            ValueError: for anything else.
        """
        connection, chat_id, topic_id = key.rsplit(":", 2)
        return cls(int(chat_id), int(topic_id) if topic_id else None, connection or None)
