"""A method call, and access to its parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from tgllm.testing.emulator.markup.formatting import format_text
from tgllm.testing.emulator.markup.keyboards import check_markup
from tgllm.testing.emulator.markup.text import MAX_CAPTION, MAX_QUOTE, MAX_TEXT, Text, utf16_len
from tgllm.testing.emulator.protocol.errors import bad_request, forbidden, migrated
from tgllm.testing.emulator.protocol.parameters import MethodSpec
from tgllm.testing.emulator.state.bots import EmulatedBot
from tgllm.testing.emulator.state.records import (
    EmulatedChat,
    EmulatedDirectTopic,
    EmulatedMessage,
    EmulatedTopic,
)
from tgllm.testing.emulator.world.mentioning import with_mentions
from tgllm.testing.emulator.world.world import World

__all__ = ["Described", "MethodCall", "Upload"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file uploaded in a request."""

    name: str
    mime: str
    content: bytes = field(repr=False)

    def __str__(self) -> str:
        """Return name and size, for the journal."""
        return f"<{self.name}, {len(self.content)} bytes>"


@dataclass(frozen=True, slots=True)
class Described:
    """A result with a description beside it. Bot API: Making requests."""

    result: object
    description: str


@dataclass(frozen=True, slots=True)
class MethodCall:
    """A call, with parameters that are converted and checked by the method's table.

    ``is_connected`` returns whether the client still waits for the response.
    """

    world: World
    bot: EmulatedBot
    spec: MethodSpec
    params: Mapping[str, Any]
    uploads: Mapping[str, Upload]
    is_connected: Callable[[], bool]

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - checked JSON of any shape
        """Return a parameter, or ``default``."""
        return self.params.get(name, default)

    def find_chat(self) -> EmulatedChat | None:
        """Return the chat of ``chat_id``, or None."""
        chat_id = self.params.get("chat_id")
        return None if chat_id is None else self.world.find_chat(self.bot, chat_id)

    def chat(self) -> EmulatedChat:
        """Return the chat of ``chat_id``. Raises 400 or 403 if the bot has no access to it."""
        if "chat_id" not in self.params:
            raise bad_request("chat_id is empty")
        chat = self.find_chat()
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to is not None:
            raise migrated(chat.migrated_to)
        if chat.bot_blocked:
            raise forbidden("bot was blocked by the user")
        if self.bot.id not in chat.members:
            was_kicked = chat.statuses.get(self.bot.id) == "kicked"
            verb = "was kicked from" if was_kicked else "is not a member of"
            raise forbidden(f"bot {verb} the {chat.type} chat")
        return chat

    def topic(self, chat: EmulatedChat) -> EmulatedTopic | None:
        """Return the topic of ``message_thread_id``, or None without one. Raises 400 for an unknown topic."""
        topic_id = self.params.get("message_thread_id")
        if topic_id is None:
            return None
        topic = chat.topics.get(topic_id)
        if topic is None:
            raise bad_request("message thread not found")
        return topic

    def direct_topic(self, chat: EmulatedChat) -> EmulatedDirectTopic | None:
        """Return the topic of ``direct_messages_topic_id``. Raises 400 if it is missing or not of the chat."""
        topic_id = self.params.get("direct_messages_topic_id")
        if not chat.is_direct_messages:
            if topic_id is not None:
                raise bad_request("direct messages topic specified for a chat of another kind")
            return None
        topic = chat.direct_topics.get(topic_id or 0)
        if topic is None:
            raise bad_request("direct messages topic not found")
        return topic

    def message(self, chat: EmulatedChat, verb: str) -> EmulatedMessage:
        """Return the message of ``message_id``. Raises 400 ("message to VERB not found") if it does not exist."""
        message = chat.message(int(self.params.get("message_id", 0)))
        if message is None:
            raise bad_request(f"message to {verb} not found")
        return message

    def text(self) -> Text:
        """Return ``text`` with its entities. Raises 400 if it is too long or can't be parsed."""
        return self._formatted("text", "entities", MAX_TEXT, "message is too long")

    def caption(self) -> Text:
        """Return ``caption`` with its entities. Raises 400 if it is too long or can't be parsed."""
        words = "message caption is too long"
        return self._formatted("caption", "caption_entities", MAX_CAPTION, words)

    def _formatted(self, name: str, entities: str, limit: int, too_long: str) -> Text:
        return self.with_mentions(
            format_text(
                self.params.get(name, ""),
                self.params.get("parse_mode"),
                self.params.get(entities),
                limit,
                too_long,
            )
        )

    def with_mentions(self, content: Text) -> Text:
        """Resolve text mentions by user id; mentions of unknown ids are removed."""
        return with_mentions(self.world, content)

    def markup(self) -> dict[str, Any] | None:
        """Return ``reply_markup`` after checking it."""
        return check_markup(self.params.get("reply_markup"))

    def reply_to(self, chat: EmulatedChat) -> EmulatedMessage | None:
        """Return the message to reply to, or None. Raises 400 if it does not exist, unless the call allows that."""
        parameters = cast("dict[str, Any]", self.params.get("reply_parameters") or {})
        message_id = parameters.get("message_id") or self.params.get("reply_to_message_id")
        if message_id is None:
            return None
        if not isinstance(message_id, int):
            raise bad_request("can't parse reply parameters: message_id must be a Number")
        message = chat.message(message_id)
        lenient = parameters.get("allow_sending_without_reply") or self.params.get("allow_sending_without_reply")
        if message is None and not lenient:
            raise bad_request("message to be replied not found")
        return message

    def quote(self, message: EmulatedMessage | None) -> dict[str, Any] | None:
        """Return the TextQuote of the message to reply to, or None. Raises 400 if the message does not contain it."""
        parameters = cast("dict[str, Any]", self.params.get("reply_parameters") or {})
        quoted = parameters.get("quote")
        if message is None or not quoted:
            return None
        at = message.text.find(str(quoted))
        if at < 0 or utf16_len(str(quoted)) > MAX_QUOTE:
            raise bad_request("QUOTE_TEXT_INVALID")
        return {"text": str(quoted), "position": utf16_len(message.text[:at]), "is_manual": True}
