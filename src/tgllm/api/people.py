"""Who talks, and where: the values that hooks and commands are given."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["ChatInfo", "ChatKind", "Role", "UserInfo"]

Role = Literal["owner", "admin", "user", "guest"]
ChatKind = Literal["private", "group", "supergroup", "channel"]


@dataclass(frozen=True, slots=True)
class UserInfo:
    """A person known to the bot."""

    id: int
    """Telegram's user id."""
    name: str
    """First and last name as Telegram shows them."""
    role: Role | None
    """None for somebody who has not been let in."""
    username: str | None = None
    language: str = "en"
    """IETF tag of the person's Telegram client, or of their own choice."""

    @property
    def is_admin(self) -> bool:
        """Whether the person administers the bot: owners and admins."""
        return self.role in {"owner", "admin"}


@dataclass(frozen=True, slots=True)
class ChatInfo:
    """A chat, or one topic of it."""

    id: int
    kind: ChatKind
    title: str = ""
    topic_id: int | None = None
    """Telegram's ``message_thread_id``; None outside topics."""

    @property
    def is_private(self) -> bool:
        """Whether it is a chat with one person."""
        return self.kind == "private"
