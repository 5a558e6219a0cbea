"""From an outbox row to a call of the Bot API."""

from collections.abc import Mapping
from typing import Any

from aiogram.methods import DeleteMessage, EditMessageText, SendMessage, SetMessageReaction
from aiogram.methods.base import TelegramMethod

from tgllm.bot.messages import EDIT_OF_PART, PLACEHOLDER

__all__ = ["call_of", "edit_call", "new_message_instead"]

_METHODS: Mapping[str, type[TelegramMethod[Any]]] = {
    method.__api_method__: method for method in (SendMessage, EditMessageText, DeleteMessage, SetMessageReaction)
}

_OURS = frozenset({EDIT_OF_PART, PLACEHOLDER})
_ONLY_FOR_NEW = _OURS | {"reply_parameters", "message_thread_id"}


def call_of(method: str, payload: Mapping[str, Any]) -> TelegramMethod[Any]:
    """The call that a row asks for.

    Raises:
        KeyError: the row names a method that the bot does not send.
        ValueError: its parameters do not fit the method.
    """
    return _METHODS[method](**{key: value for key, value in payload.items() if key not in _OURS})


def edit_call(payload: Mapping[str, Any], message_id: int) -> TelegramMethod[Any]:
    """The call that edits the message which an earlier row of the turn has sent."""
    kept = {key: value for key, value in payload.items() if key not in _ONLY_FOR_NEW}
    return EditMessageText(message_id=message_id, **kept)


def new_message_instead(payload: Mapping[str, Any]) -> TelegramMethod[Any]:
    """The call that sends the text of an edit as a message of its own."""
    return SendMessage(**{key: value for key, value in payload.items() if key not in _OURS})
