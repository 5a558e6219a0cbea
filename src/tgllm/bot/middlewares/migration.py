"""Handles upgrades of groups to supergroups, before the access check: Telegram itself reports them."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiogram import BaseMiddleware
from aiogram.types import Message, TelegramObject, Update

from tgllm.services.access.migration import move_chat

if TYPE_CHECKING:
    from tgllm.bot.scope import UpdateScope

__all__ = ["MigrationMiddleware"]

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[object]]


class MigrationMiddleware(BaseMiddleware):
    """Moves the data of an upgraded group to its new id; handlers do not get these updates."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> object:
        """Handle an upgrade; pass on everything else."""
        scope: UpdateScope = data["scope"]
        ids = _old_and_new(event.event if isinstance(event, Update) else event)
        if ids is None:
            return await handler(event, data)
        old, new = ids
        now = scope.now
        await scope.end(lambda conn: move_chat(conn, old, new, now))
        return None


def _old_and_new(content: object) -> tuple[int, int] | None:
    """Return the ids from the last message of the group, or the first one of the supergroup. Bot API: Message."""
    if not isinstance(content, Message):
        return None
    if content.migrate_to_chat_id is not None:
        return content.chat.id, content.migrate_to_chat_id
    if content.migrate_from_chat_id is not None:
        return content.migrate_from_chat_id, content.chat.id
    return None
