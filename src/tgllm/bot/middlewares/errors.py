"""Error boundary: an error while handling an update ends only that update."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import TelegramObject

from tgllm.api import DatabaseError
from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.scope import FAILED, UpdateScope
from tgllm.db.engine.unit import Connection
from tgllm.observe.logs import get_logger
from tgllm.services.common.text import clip

__all__ = ["ErrorsMiddleware"]

log = get_logger(__name__)

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[object]]


class ErrorsMiddleware(BaseMiddleware):
    """Logs an error and tells the user; the bot continues. Database errors end the program."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> object:
        """Run the rest of the chain."""
        try:
            result = await handler(event, data)
        except DatabaseError:
            raise
        except Exception as error:
            scope: UpdateScope = data["scope"]
            log.error("update.failed", kind=scope.row.kind, error=repr(error), exc_info=error)
            await self._tell(scope, error)
            return FAILED
        scope = data["scope"]
        if not scope.ended:
            await scope.end()
        return result

    async def _tell(self, scope: UpdateScope, error: Exception) -> None:
        if scope.ended:
            return
        # Users without access get no details of internal errors.
        known = scope.user is not None and scope.user.role is not None
        text = scope.error_text(error)
        # A misplaced press has no chat in which only the person reads the text.
        replies = message_rows(scope.lane, clip(text)) if known and not scope.is_misplaced else []
        now, emptied = scope.now, list[bool]()

        def forget(conn: Connection) -> None:
            emptied.append(scope.parts.relevance.empty_irrelevant(conn, scope.row, now))

        def reason() -> str:
            # The text of an error may quote the content.
            return type(error).__name__ if emptied[-1] else repr(error)

        await scope.end(forget, replies=replies, state="failed", error=reason)
