"""Records: accounts, chats, topics, messages, drafts, callback queries, files."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tgllm.testing.emulator.markup.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Account",
    "Button",
    "CallbackQuery",
    "ChatType",
    "EmulatedChat",
    "EmulatedDirectTopic",
    "EmulatedDraft",
    "EmulatedMessage",
    "EmulatedTopic",
    "MemberStatus",
    "StoredFile",
]

_DIRECT_TOPICS = 4_000_000_000

ChatType = Literal["private", "group", "supergroup", "channel"]
MemberStatus = Literal["creator", "administrator", "member", "left", "kicked"]


@dataclass(slots=True, eq=False)
class Account:
    """A user or a bot. Source: Bot API, User.

    ``last_message_id`` is a bot's newest message id in its private chats and basic groups.
    """

    id: int
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    is_bot: bool = False
    last_message_id: int = field(default=0, repr=False)

    def __repr__(self) -> str:
        """Return name and id, for the messages of failed assertions."""
        return f"<{'bot' if self.is_bot else 'user'} {self.id}, {self.first_name}>"


@dataclass(slots=True, eq=False)
class StoredFile:
    """A file on the server; ``size`` is in bytes, ``dimensions`` are width and height of an image if known."""

    file_id: str
    unique_id: str
    path: str
    content: bytes = field(repr=False)
    name: str | None = None
    mime: str | None = None
    dimensions: tuple[int, int] | None = None

    @property
    def size(self) -> int:
        """Size in bytes."""
        return len(self.content)


@dataclass(slots=True, eq=False)
class EmulatedTopic:
    """A topic of a supergroup or a private chat; ``id`` is the message_thread_id."""

    id: int
    chat: "EmulatedChat" = field(repr=False)
    name: str
    icon_color: int = 0x6FB9F0
    icon_custom_emoji_id: str | None = None
    is_closed: bool = False
    creator: Account | None = None
    """Sender of the service message that created it."""


@dataclass(frozen=True, slots=True)
class EmulatedDirectTopic:
    """A topic of a channel's direct messages: the conversation of one user with the channel."""

    id: int
    user: Account


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button; ``data`` is its callback_data, None for a button of another kind."""

    text: str
    data: str | None
    raw: dict[str, Any]


@dataclass(slots=True, eq=False)
class EmulatedMessage:
    """The current state of a message.

    ``content`` is its text or caption; ``fields`` is everything else, in Bot API form (``photo``,
    ``document``, ``rich_message``...); ``previous`` are the texts before each edit, oldest first.
    """

    id: int
    chat: "EmulatedChat" = field(repr=False)
    sender: Account
    date: int
    content: Text = field(default_factory=Text)
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    is_caption: bool = False
    topic: EmulatedTopic | None = None
    direct_topic: EmulatedDirectTopic | None = None
    reply_to: "EmulatedMessage | None" = field(default=None, repr=False)
    reply_markup: dict[str, Any] | None = None
    file: StoredFile | None = None
    edit_date: int | None = None
    is_deleted: bool = False
    is_pinned: bool = False
    reactions: dict[int, list[dict[str, Any]]] = field(default_factory=dict[int, list[Any]])
    previous: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """Text, caption, or plain text of a rich message; "" if there is none."""
        return self.content.text

    @property
    def entities(self) -> tuple[dict[str, Any], ...]:
        """Entities of the text or caption, in Bot API form."""
        return self.content.entities

    @property
    def from_bot(self) -> bool:
        """Whether a bot sent it."""
        return self.sender.is_bot

    @property
    def is_edited(self) -> bool:
        """Whether its text was edited."""
        return bool(self.previous)

    @property
    def buttons(self) -> tuple[Button, ...]:
        """Inline buttons, row by row."""
        rows: list[list[dict[str, Any]]] = (self.reply_markup or {}).get("inline_keyboard") or []
        return tuple(Button(str(raw.get("text", "")), raw.get("callback_data"), raw) for row in rows for raw in row)

    @property
    def labels(self) -> list[str]:
        """Labels of the inline buttons, row by row."""
        return [button.text for button in self.buttons]

    @property
    def rows(self) -> list[list[str]]:
        """Labels of the inline buttons, a list for each row."""
        rows: list[list[dict[str, Any]]] = (self.reply_markup or {}).get("inline_keyboard") or []
        return [[str(raw.get("text", "")) for raw in row] for row in rows]

    def __repr__(self) -> str:
        """Return sender, text and buttons, for the messages of failed assertions."""
        buttons = "".join(f" [{label}]" for label in self.labels)
        return f"<message #{self.id} of {self.sender.first_name}: {self.text!r}{buttons}>"


@dataclass(slots=True, eq=False)
class EmulatedDraft:
    """A draft of a bot; ``text`` is empty for the "Thinking" placeholder.

    ``expires_at`` is monotonic time in seconds; ``revision`` is how many times it was sent.
    """

    id: int
    chat: "EmulatedChat" = field(repr=False)
    topic: EmulatedTopic | None
    content: Text
    expires_at: float
    rich: dict[str, Any] | None = None
    can_stop: bool = False
    keep_on_stop: bool = False
    is_stopped: bool = False
    revision: int = 1

    @property
    def text(self) -> str:
        """Current text, or plain text of a rich draft."""
        return self.content.text


@dataclass(slots=True, eq=False)
class CallbackQuery:
    """A press of an inline button; ``answer`` is the bot's answer, None before it."""

    id: str
    sender: Account
    message: EmulatedMessage
    data: str
    expires_at: float
    answer: dict[str, Any] | None = None


@dataclass(slots=True, eq=False)
class EmulatedChat:
    """A chat. ``bot`` is set only in private chats: each bot has its own chat with the same user.

    ``ephemeral`` are the messages visible to one member only, by ephemeral_message_id; ``migrated_to``
    is the id of the supergroup that replaced a basic group; ``read`` are the ids of the last messages that users have
    seen on the chat page.
    """

    id: int
    type: ChatType
    title: str | None = None
    user: Account | None = None
    bot: Account | None = None
    username: str | None = None
    is_forum: bool = False
    is_direct_messages: bool = False
    bot_blocked: bool = False
    members: dict[int, Account] = field(default_factory=dict[int, Account], repr=False)
    statuses: dict[int, MemberStatus] = field(default_factory=dict[int, MemberStatus], repr=False)
    topics: dict[int, EmulatedTopic] = field(default_factory=dict[int, EmulatedTopic], repr=False)
    direct_topics: dict[int, EmulatedDirectTopic] = field(default_factory=dict[int, EmulatedDirectTopic], repr=False)
    drafts: dict[int, EmulatedDraft] = field(default_factory=dict[int, EmulatedDraft], repr=False)
    stopped_drafts: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]], repr=False)
    actions: dict[int, tuple[str, float]] = field(default_factory=dict[int, tuple[str, float]], repr=False)
    properties: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    ephemeral: dict[int, EmulatedMessage] = field(default_factory=dict[int, EmulatedMessage], repr=False)
    migrated_to: int | None = None
    read: dict[int, int] = field(default_factory=dict[int, int], repr=False)
    last_message_id: int = 0
    _messages: dict[int, EmulatedMessage] = field(default_factory=dict[int, EmulatedMessage], repr=False)

    def __repr__(self) -> str:
        """Return what the chat is, for the messages of failed assertions; ``Emulator.transcript`` shows its content."""
        name = self.title or (self.user.first_name if self.user else "")
        return f"<{self.type} {self.id}, {name}, messages: {len(self._messages)}>"

    @property
    def is_private(self) -> bool:
        """Whether it is a chat of a user with a bot."""
        return self.type == "private"

    @property
    def messages(self) -> list[EmulatedMessage]:
        """Messages that are not deleted, oldest first."""
        return list(self._messages.values())

    @property
    def bot_texts(self) -> list[str]:
        """Texts of the bots' messages that are not deleted, oldest first."""
        return [message.text for message in self.messages if message.from_bot]

    def free_ephemeral_id(self) -> int:
        """Return the smallest ephemeral_message_id that is not in use."""
        return next(number for number in range(1, len(self.ephemeral) + 2) if number not in self.ephemeral)

    def direct_topic_of(self, user: Account) -> EmulatedDirectTopic:
        """Return the topic of a user in a channel's direct messages; it is created if it does not exist."""
        # Not the id of the user: bots must not mistake one for the other.
        topic = EmulatedDirectTopic(user.id + _DIRECT_TOPICS, user)
        return self.direct_topics.setdefault(topic.id, topic)

    def newest_first(self) -> "Iterator[EmulatedMessage]":
        """Iterate over the messages from the newest to the oldest."""
        return reversed(self._messages.values())

    def unread_of(self, user_id: int, most: int) -> int:
        """Return how many messages of others a user hasn't seen, at most ``most``."""
        read, count = self.read.get(user_id, 0), 0
        for message in self.newest_first():
            if message.id <= read or count == most:
                break
            count += message.sender.id != user_id
        return count

    def message(self, message_id: int) -> EmulatedMessage | None:
        """Return the message with this id, or None."""
        return self._messages.get(message_id)

    def next_message_id(self) -> int:
        """Allocate a message id.

        All private chats and basic groups of a bot share one sequence; each other chat has its own. A basic group of
        several bots has one id for all of them, which is above the last one of each.
        """
        is_shared = self.type in {"private", "group"}
        bots = [member for member in self.members.values() if member.is_bot] if is_shared else []
        self.last_message_id = 1 + max([self.last_message_id, *[bot.last_message_id for bot in bots]])
        for bot in bots:
            bot.last_message_id = self.last_message_id
        return self.last_message_id

    def add(self, message: EmulatedMessage) -> None:
        """Store a message."""
        self._messages[message.id] = message

    def remove(self, message: EmulatedMessage) -> None:
        """Delete a message."""
        message.is_deleted = True
        self._messages.pop(message.id, None)
