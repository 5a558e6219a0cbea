"""From an outbox row to a call of the Bot API."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from aiogram.methods import (
    DeleteMessage,
    EditMessageReplyMarkup,
    SendDocument,
    SetMessageReaction,
)
from aiogram.methods.base import TelegramMethod
from aiogram.types import Message

from tgllm.bot.delivery.fallbacks import OURS
from tgllm.bot.delivery.files import opened
from tgllm.bot.delivery.rows import EDIT_OF_PART, PLACEHOLDER, REPEATABLE

__all__ = ["RawEditText", "RawSendMessage", "call_of", "edit_call", "is_send", "message_id_of", "new_message_instead"]


class RawSendMessage(TelegramMethod[dict[str, Any]]):
    """sendMessage with parameters and answer left as JSON. Bot API: sendMessage.

    Of the answer only the id counts, and a message that has arrived may look like nothing that aiogram knows. Leaving
    out aiogram's models of both also saves time (see docs/explanation/performance.md).
    """

    __returning__: ClassVar[Any] = dict[str, Any]
    __api_method__: ClassVar[str] = "sendMessage"

    chat_id: int
    text: str
    entities: list[dict[str, Any]] | None = None
    business_connection_id: str | None = None
    message_thread_id: int | None = None
    link_preview_options: dict[str, Any] | None = None
    reply_parameters: dict[str, Any] | None = None
    reply_markup: dict[str, Any] | None = None


class RawEditText(TelegramMethod[dict[str, Any]]):
    """editMessageText, for the same reasons. Bot API: editMessageText."""

    __returning__: ClassVar[Any] = dict[str, Any]
    __api_method__: ClassVar[str] = "editMessageText"

    chat_id: int
    message_id: int
    text: str
    entities: list[dict[str, Any]] | None = None
    business_connection_id: str | None = None
    link_preview_options: dict[str, Any] | None = None
    reply_markup: dict[str, Any] | None = None


class RawSendRich(TelegramMethod[dict[str, Any]]):
    """sendRichMessage with blocks and answer left as JSON. Bot API: sendRichMessage.

    aiogram's models take seconds for some formats within formats (see docs/explanation/rendering.md).
    """

    __returning__: ClassVar[Any] = dict[str, Any]
    __api_method__: ClassVar[str] = "sendRichMessage"

    chat_id: int
    rich_message: dict[str, Any]
    business_connection_id: str | None = None
    message_thread_id: int | None = None
    reply_parameters: dict[str, Any] | None = None
    reply_markup: dict[str, Any] | None = None


class RawEditToRich(TelegramMethod[dict[str, Any]]):
    """editMessageText that makes a message rich, for the same reason. Bot API: editMessageText."""

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
        SendDocument,
        RawEditText,
        EditMessageReplyMarkup,
        DeleteMessage,
        SetMessageReaction,
    )
}

_OURS = OURS | {EDIT_OF_PART, PLACEHOLDER, REPEATABLE}
_ONLY_FOR_NEW = _OURS | {"reply_parameters", "message_thread_id"}


def call_of(method: str, payload: Mapping[str, Any]) -> TelegramMethod[Any]:
    """The call that a row asks for.

    Raises:
        KeyError: the row names a method that the bot does not send.
        ValueError: its parameters do not fit the method, or its file is gone.
    """
    return _METHODS[method](**{key: value for key, value in opened(payload).items() if key not in _OURS})


def edit_call(payload: Mapping[str, Any], message_id: int) -> TelegramMethod[Any]:
    """The call that edits the message which an earlier row of the turn has sent."""
    kept = {key: value for key, value in payload.items() if key not in _ONLY_FOR_NEW}
    method = RawEditToRich if "rich_message" in kept else RawEditText
    return method(message_id=message_id, **kept)


def new_message_instead(payload: Mapping[str, Any]) -> TelegramMethod[Any]:
    """The call that sends the text of an edit as a message of its own."""
    method = RawSendRich if "rich_message" in payload else RawSendMessage
    return method(**{key: value for key, value in payload.items() if key not in _OURS})


def is_send(method: TelegramMethod[Any]) -> bool:
    """Whether the call makes a message, so that making it twice would be seen."""
    return isinstance(method, RawSendMessage | RawSendRich | SendDocument)


def message_id_of(result: object) -> int | None:
    """The id of the message that a call has made or changed."""
    if isinstance(result, Message):
        return result.message_id
    found = cast("dict[str, Any]", result).get("message_id") if isinstance(result, dict) else None
    return found if isinstance(found, int) else None
