"""Converts outbox rows to Bot API calls."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from aiogram.methods import (
    DeleteMessage,
    EditMessageReplyMarkup,
    SetMessageReaction,
)
from aiogram.methods.base import TelegramMethod
from aiogram.types import InputFile, Message

from tgllm.bot.delivery.fallbacks import OURS
from tgllm.bot.delivery.files import opened
from tgllm.bot.delivery.repeats import MARKED
from tgllm.bot.delivery.rows import EDIT_OF_PART, PLACEHOLDER, REPEATABLE

__all__ = [
    "RawEditMarkup",
    "RawEditText",
    "RawSendMessage",
    "call_of",
    "edit_call",
    "is_send",
    "message_id_of",
    "new_message_instead",
]


class RawSendMessage(TelegramMethod[dict[str, Any]]):
    """sendMessage with parameters and result as plain JSON. Bot API: sendMessage.

    Only the id of the result is needed, and aiogram may not be able to parse the sent message. Skipping aiogram's
    models also saves time (see docs/explanation/performance.md).
    """

    __returning__: ClassVar[Any] = dict[str, Any]
    __api_method__: ClassVar[str] = "sendMessage"

    chat_id: int
    text: str
    entities: list[dict[str, Any]] | None = None
    business_connection_id: str | None = None
    message_thread_id: int | None = None
    direct_messages_topic_id: int | None = None
    ephemeral_message_parameters: dict[str, Any] | None = None
    link_preview_options: dict[str, Any] | None = None
    reply_parameters: dict[str, Any] | None = None
    reply_markup: dict[str, Any] | None = None


class RawEditText(TelegramMethod[dict[str, Any]]):
    """editMessageText as plain JSON, for the same reasons. Bot API: editMessageText."""

    __returning__: ClassVar[Any] = dict[str, Any]
    __api_method__: ClassVar[str] = "editMessageText"

    chat_id: int
    message_id: int
    text: str
    entities: list[dict[str, Any]] | None = None
    business_connection_id: str | None = None
    link_preview_options: dict[str, Any] | None = None
    reply_markup: dict[str, Any] | None = None


class RawEditMarkup(TelegramMethod[dict[str, Any]]):
    """editMessageReplyMarkup as plain JSON, for the same reasons. Bot API: editMessageReplyMarkup."""

    __returning__: ClassVar[Any] = dict[str, Any]
    __api_method__: ClassVar[str] = "editMessageReplyMarkup"

    chat_id: int
    message_id: int
    reply_markup: dict[str, Any] | None = None


class RawSendRich(TelegramMethod[dict[str, Any]]):
    """sendRichMessage with blocks and result as plain JSON. Bot API: sendRichMessage.

    aiogram's models take seconds for some nested formats (see docs/explanation/rendering.md).
    """

    __returning__: ClassVar[Any] = dict[str, Any]
    __api_method__: ClassVar[str] = "sendRichMessage"

    chat_id: int
    rich_message: dict[str, Any]
    business_connection_id: str | None = None
    message_thread_id: int | None = None
    direct_messages_topic_id: int | None = None
    ephemeral_message_parameters: dict[str, Any] | None = None
    reply_parameters: dict[str, Any] | None = None
    reply_markup: dict[str, Any] | None = None


class RawSendDocument(TelegramMethod[dict[str, Any]]):
    """sendDocument with parameters and result as plain JSON, for the same reasons. Bot API: sendDocument."""

    __returning__: ClassVar[Any] = dict[str, Any]
    __api_method__: ClassVar[str] = "sendDocument"

    chat_id: int
    document: InputFile
    caption: str | None = None
    business_connection_id: str | None = None
    message_thread_id: int | None = None
    direct_messages_topic_id: int | None = None
    ephemeral_message_parameters: dict[str, Any] | None = None
    reply_parameters: dict[str, Any] | None = None
    reply_markup: dict[str, Any] | None = None


class RawSendPhoto(TelegramMethod[dict[str, Any]]):
    """sendPhoto as plain JSON, for the same reasons. Bot API: sendPhoto."""

    __returning__: ClassVar[Any] = dict[str, Any]
    __api_method__: ClassVar[str] = "sendPhoto"

    chat_id: int
    photo: InputFile
    caption: str | None = None
    business_connection_id: str | None = None
    message_thread_id: int | None = None
    direct_messages_topic_id: int | None = None
    ephemeral_message_parameters: dict[str, Any] | None = None
    reply_parameters: dict[str, Any] | None = None
    reply_markup: dict[str, Any] | None = None


class RawEditToRich(TelegramMethod[dict[str, Any]]):
    """editMessageText with a rich message, for the same reason. Bot API: editMessageText."""

    __returning__: ClassVar[Any] = dict[str, Any]
    __api_method__: ClassVar[str] = "editMessageText"

    chat_id: int
    message_id: int
    rich_message: dict[str, Any]
    business_connection_id: str | None = None
    reply_markup: dict[str, Any] | None = None


_METHODS: Mapping[str, type[TelegramMethod[Any]]] = {
    method.__api_method__: method
    for method in (
        RawSendMessage,
        RawSendRich,
        RawSendDocument,
        RawSendPhoto,
        RawEditText,
        EditMessageReplyMarkup,
        DeleteMessage,
        SetMessageReaction,
    )
}

_OURS = OURS | {EDIT_OF_PART, MARKED, PLACEHOLDER, REPEATABLE}
_ONLY_FOR_NEW = _OURS | {
    "reply_parameters",
    "message_thread_id",
    "direct_messages_topic_id",
    "ephemeral_message_parameters",
}


def call_of(method: str, payload: Mapping[str, Any]) -> TelegramMethod[Any]:
    """Return the call of a row.

    Raises:
        KeyError: the row's method is not one that the bot sends.
        ValueError: its parameters do not fit the method, or its file is missing.
    """
    kind = RawEditToRich if method == "editMessageText" and "rich_message" in payload else _METHODS[method]
    return kind(**{key: value for key, value in opened(payload).items() if key not in _OURS})


def edit_call(payload: Mapping[str, Any], message_id: int) -> TelegramMethod[Any]:
    """Return the call that edits the message of an earlier row of the turn."""
    kept = {key: value for key, value in payload.items() if key not in _ONLY_FOR_NEW}
    method = RawEditToRich if "rich_message" in kept else RawEditText
    return method(message_id=message_id, **kept)


def new_message_instead(payload: Mapping[str, Any]) -> TelegramMethod[Any]:
    """Return the call that sends the text of an edit as a new message."""
    method = RawSendRich if "rich_message" in payload else RawSendMessage
    return method(**{key: value for key, value in payload.items() if key not in _OURS})


def is_send(method: TelegramMethod[Any]) -> bool:
    """Return whether the call sends a message, so that repeating it would show a duplicate."""
    return isinstance(method, RawSendMessage | RawSendRich | RawSendDocument | RawSendPhoto)


def message_id_of(result: object) -> int | None:
    """Return the id of the message that a call has sent or edited; None if the result has none."""
    if isinstance(result, Message):
        return result.message_id
    found = cast("dict[str, Any]", result).get("message_id") if isinstance(result, dict) else None
    return found if isinstance(found, int) else None
