"""Chat commands that plugins bring."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tgllm.api.people import ChatInfo, UserInfo

if TYPE_CHECKING:
    from tgllm.api.context import PluginContext

__all__ = ["Access", "Answers", "ChatCommand", "CommandCall", "CommandHandler", "CommandInfo", "Reply"]

Access = Literal["user", "admin", "owner"]
"""The lowest role that may use a command."""
Answers = Literal["all", "addressed", "commands"]
"""Every message; commands, mentions and replies to the bot; or commands alone."""


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """A command as it stands in the bot's command table."""

    name: str
    description: str
    access: Access


@dataclass(frozen=True, slots=True)
class CommandCall:
    """A command that a person sent."""

    name: str
    """Without the slash."""
    args: str
    """The rest of the message, stripped."""
    user: UserInfo
    chat: ChatInfo
    context: "PluginContext"
    """The context of the plugin that owns the command."""
    commands: tuple[CommandInfo, ...] = ()
    """All commands that this person may use here, for a help text."""
    answers: Answers = "all"
    """Which messages of this chat the bot answers."""
    sees_all: bool = True
    """Whether Telegram shows the bot all messages of this chat. If not, the bot is in privacy mode, and sees them only
    where it is an admin of the group. Bot API: User, can_read_all_group_messages."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A text to answer with, of any length; it is split where Telegram needs it."""

    text: str
    markdown: bool = False
    """Whether it is Markdown, to be shown as answers of models are; else it is plain text."""


CommandHandler = Callable[[CommandCall], Awaitable[Reply | str | None]]
"""Answers a command. It may run twice for one message if the program is killed in between."""


@dataclass(frozen=True, slots=True)
class ChatCommand:
    """A command such as ``/ping``."""

    name: str
    """``[a-z][a-z0-9_]{0,31}``, without the slash. Bot API: BotCommand."""
    description: str
    """1-256 characters, shown in Telegram's menu and in ``/help``."""
    handler: CommandHandler
    access: Access = "user"
    aliases: tuple[str, ...] = ()
    descriptions: Mapping[str, str] = field(default_factory=dict[str, str])
    """The description in other languages, by two-letter code."""
