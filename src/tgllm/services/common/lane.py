"""Lane: the key by which updates of one chat (and topic) are processed in order."""

import re
from dataclasses import dataclass
from typing import Self

__all__ = ["SHELL_CHAT_ID", "Lane"]

SHELL_CHAT_ID = 0
"""Chat id of conversations in the shell; no chat of Telegram has it (Bot API: Chat)."""

_PART = re.compile(r"(-?\d+)?(?:d(-?\d+))?(?:e(-?\d+))?")
"""Last part of a key: the topic, ``d`` and the topic of direct messages, ``e`` and the person of ephemeral messages."""


@dataclass(frozen=True, slots=True)
class Lane:
    """People who see the same messages: a chat, one topic of it, or one person in it.

    A history belongs to a lane, and the bot answers in the lane of the question. So messages with different readers
    must have different lanes.
    """

    chat_id: int
    topic_id: int | None = None
    business_connection_id: str | None = None
    direct_topic_id: int | None = None
    """Topic of a channel's direct messages: one person and the admins of the channel. Bot API: DirectMessagesTopic."""
    ephemeral_user_id: int | None = None
    """The only person who sees the messages, if these are ephemeral. Bot API: EphemeralMessageParameters."""

    @property
    def access_id(self) -> int:
        """The chat id by which access is decided; 0 where only the person counts, not the approval of a group."""
        return 0 if self.direct_topic_id is not None else self.chat_id

    @property
    def telegram_chat_id(self) -> int | None:
        """Telegram's id of the chat; None in the shell."""
        return None if self.chat_id == SHELL_CHAT_ID else self.chat_id

    @property
    def is_apart(self) -> bool:
        """Whether its messages have other readers than the rest of the chat.

        So it is in chats of a business connection, direct messages of a channel, and messages to one person in a group.
        """
        parts = (self.business_connection_id, self.direct_topic_id, self.ephemeral_user_id)
        return any(part is not None for part in parts)

    @property
    def key(self) -> str:
        """The lane as stored in the database."""
        last = str(self.topic_id or "")
        if self.direct_topic_id is not None:
            last += f"d{self.direct_topic_id}"
        if self.ephemeral_user_id is not None:
            last += f"e{self.ephemeral_user_id}"
        return f"{self.business_connection_id or ''}:{self.chat_id}:{last}"

    @classmethod
    def parse(cls, key: str) -> Self:
        """Parse a ``key``.

        Raises:
            ValueError: ``key`` is malformed.
        """
        connection, chat_id, last = key.rsplit(":", 2)
        found = _PART.fullmatch(last)
        if found is None:
            raise ValueError(f"not a lane: {key!r}")
        topic_id, direct_topic_id, ephemeral_user_id = (None if part is None else int(part) for part in found.groups())
        return cls(int(chat_id), topic_id, connection or None, direct_topic_id, ephemeral_user_id)
