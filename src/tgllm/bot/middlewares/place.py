"""Keeps updates away from the handlers whose answer might be seen by others than the people who see the update.

Most of them are recognised before they are stored (``updates/places.py``); these rows have no content. Here follow the
rules that need the bot's id or its settings, and updates that an earlier version has stored. A press is passed on, so
that it is answered, but runs no action.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, Message, TelegramObject, Update

from tgllm.bot.handlers.strangers import forget_update
from tgllm.bot.scope import is_admin_chat
from tgllm.bot.updates.places import place_of
from tgllm.observe.logs import get_logger

if TYPE_CHECKING:
    from tgllm.bot.scope import UpdateScope

__all__ = ["PlaceMiddleware"]

log = get_logger(__name__)

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[object]]


class PlaceMiddleware(BaseMiddleware):
    """Drops misplaced updates, and marks misplaced presses."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> object:
        """Pass on or drop an update."""
        scope: UpdateScope = data["scope"]
        content = event.event if isinstance(event, Update) else event
        press = content if isinstance(content, CallbackQuery) else None
        reason = _misplaced(scope) or ("" if press is None else await _foreign_press(press, scope))
        if reason:
            log.info("update.misplaced", kind=scope.row.kind, reason=reason)
            if press is None:
                return await forget_update(scope)
            data["scope"] = replace(scope, is_misplaced=True)
        return await handler(event, data)


def _misplaced(scope: "UpdateScope") -> str:
    """Return why an update does not belong to the lane in which it is stored; empty if it does."""
    row = scope.row
    place = place_of(row.kind, json.loads(row.payload).get(row.kind))
    if place.closed:
        return place.closed
    is_elsewhere = place.lane.key != row.lane or scope.chat.id != scope.lane.chat_id
    return "lane" if is_elsewhere else ""


async def _foreign_press(press: CallbackQuery, scope: "UpdateScope") -> str:
    """Return why a press is not of a button of this bot; empty if it may be."""
    if scope.lane.ephemeral_user_id is not None:
        # The bot sends no buttons there.
        return "ephemeral"
    if scope.chat.kind == "channel" and not await is_admin_chat(scope):
        return "channel"
    message = press.message
    # Messages in the name of a chat, such as those of an anonymous admin, don't name the bot.
    if not isinstance(message, Message) or message.sender_chat is not None:
        return ""
    return "" if message.from_user is not None and message.from_user.id == scope.parts.bot_id else "other_bot"
