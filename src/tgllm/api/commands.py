"""Chat commands of plugins."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tgllm.api.buttons import ButtonRows
from tgllm.api.chats import SentMessage
from tgllm.api.files import OutgoingFile
from tgllm.api.people import ChatInfo, UserInfo
from tgllm.api.types import FilePart

if TYPE_CHECKING:
    from tgllm.api.context import PluginContext

__all__ = [
    "Access",
    "Answers",
    "Attachment",
    "ChatCommand",
    "CommandCall",
    "CommandHandler",
    "CommandInfo",
    "RepliedMessage",
    "Reply",
]

Access = Literal["user", "admin", "owner"]
"""The lowest role that may use a command."""
Answers = Literal["all", "addressed", "commands"]
"""All messages; commands, mentions and replies to the bot; or commands only."""


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """An entry of the bot's command table."""

    name: str
    description: str
    access: Access
    group: str = ""
    """Title of the group of commands that it belongs to, such as "Models" or the title of its plugin, in the language
    of the description; empty for none."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message, which is downloaded when it is needed."""

    name: str | None
    """File name from the sender; never open it as a path."""
    mime_type: str
    """As the sender's app has claimed; ``FilePart.mime_type`` is that of the content."""
    size: int | None
    """In bytes; None if unknown."""
    fetch: Callable[[], Awaitable[FilePart]]
    """Download the file, and return it. It stays on disk until the command ends: copy what is needed later.

    Raises FileUnreadable: it is larger than the bot receives, or can't be downloaded.
    """


@dataclass(frozen=True, slots=True)
class RepliedMessage:
    """The message to which a command replies."""

    text: str
    """Its text, or the caption of its file; the part that the person has quoted, if they quoted one."""
    author: UserInfo | None
    """Who wrote it; None if it is of a bot, of a channel, or of a person who hides their account."""
    is_own: bool = False
    """Whether this bot has sent it."""
    message: SentMessage | None = None
    """The message, if this plugin has sent it; so it can be edited and deleted."""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandCall:
    """A call of a command, as sent by a person."""

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
    """Whether Telegram delivers all messages of this chat to the bot. If not, the bot is in privacy mode and not an
    admin of the group. Bot API: User, can_read_all_group_messages."""
    id: str = ""
    """Unique; it stays the same if the command is handled again after a crash. Since 1.1, as the following fields."""
    reply_to: RepliedMessage | None = None
    """The message to which the command replies."""
    attachments: tuple[Attachment, ...] = ()
    """Files of the command's message: the command is their caption."""
    sent_at: float = 0.0
    """When the person sent it, UTC in seconds since 1970, by Telegram's clock but never later than it arrived; 0 in a
    call that a test makes itself. It may be long ago: Telegram keeps messages while the bot is down."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of any length, sent as messages, or as a file if it takes more than a few of them."""

    text: str
    markdown: bool = False
    """Whether the text is Markdown, rendered like a model's answer; otherwise it is plain text."""
    files: tuple[OutgoingFile, ...] = ()
    """Files to send after the text."""
    buttons: ButtonRows = ()
    """Buttons under the last message of the text, or under the last file if there is no text. Since 1.1."""


CommandHandler = Callable[[CommandCall], Awaitable[Reply | str | None]]
"""Handler of a command. After a crash it may run twice for one message."""


@dataclass(frozen=True, slots=True)
class ChatCommand:
    """A command such as ``/ping``."""

    name: str
    """``[a-z][a-z0-9_]{0,31}``, without the slash. Bot API: BotCommand."""
    description: str
    """1-256 characters, shown in Telegram's command menu and in ``/help``."""
    handler: CommandHandler
    access: Access = "user"
    aliases: tuple[str, ...] = ()
    descriptions: Mapping[str, str] = field(default_factory=dict[str, str])
    """The description in other languages, by two-letter language code."""
    reads_only: bool = False
    """Whether it changes nothing. Such a command does not wait for the answer to an earlier question: it may run while
    a model answers in the same chat."""
