"""People and chats, as passed to hooks and commands."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal, Protocol

__all__ = ["ChatInfo", "ChatKind", "People", "Role", "UserInfo"]

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
    """None for a person without access."""
    username: str | None = None
    language: str = "en"
    """IETF tag of the language of the person's Telegram client, or of the language chosen in ``/settings``."""
    timezone: str | None = None
    """IANA name of the time zone chosen in ``/settings``, such as ``Europe/Berlin``; None: the bot's."""

    @property
    def is_admin(self) -> bool:
        """Whether the person is an owner or admin of the bot."""
        return self.role in {"owner", "admin"}


@dataclass(frozen=True, slots=True)
class ChatInfo:
    """A chat, or one topic of it."""

    id: int
    kind: ChatKind
    title: str = ""
    topic_id: int | None = None
    """Telegram's ``message_thread_id``; None outside topics."""
    direct_topic_id: int | None = None
    """Telegram's id of the topic in the direct messages of a channel; None in any other chat."""

    @property
    def is_private(self) -> bool:
        """Whether it is a private chat."""
        return self.kind == "private"

    @property
    def is_group(self) -> bool:
        """Whether it is a group or supergroup, which is approved as a whole; not the direct messages of a channel."""
        return self.kind in {"group", "supergroup"} and self.direct_topic_id is None


class People(Protocol):
    """The people known to the bot, for code that runs outside of their messages, such as a job."""

    async def get(self, user_id: int) -> UserInfo | None:
        """Return a person as known now; None if the bot does not know the id. A ``role`` of None means no access."""
        ...

    async def timezone(self, user: UserInfo | int) -> tzinfo:
        """Return the time zone that a person has chosen, or else the bot's, as known now."""
        ...
