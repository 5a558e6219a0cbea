"""Error boundary: an error while handling an update ends only that update."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import TelegramObject

from tgllm.api import DatabaseError, TgllmError
from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.scope import FAILED, UpdateScope
from tgllm.db.engine.unit import Connection
from tgllm.observe.content import handling, texts_of
from tgllm.observe.errors import text_of, with_kind
from tgllm.observe.logs import get_logger
from tgllm.services.common.text import clip
from tgllm.services.tools.put_back import PutBack

__all__ = ["ErrorsMiddleware"]

log = get_logger(__name__)

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[object]]


class ErrorsMiddleware(BaseMiddleware):
    """Reports an error and answers the user with its code; the bot continues. Database errors end the program."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> object:
        """Run the rest of the chain."""
        entered: UpdateScope = data["scope"]
        # The row of a message that may be the admin password has no content.
        hidden = entered.core.password.vault.get(entered.row.update_id)
        with handling(lambda: [] if hidden is None else texts_of(hidden)):
            return await self._call(handler, event, data)

    async def _call(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> object:
        try:
            result = await handler(event, data)
        except (DatabaseError, PutBack):
            raise
        except Exception as error:  # noqa: BLE001  it ends only this update
            scope: UpdateScope = data["scope"]
            await self._tell(scope, error, await _code_of(scope, error))
            return FAILED
        scope = data["scope"]
        if not scope.ended:
            await scope.end()
        return result

    async def _tell(self, scope: UpdateScope, error: Exception, code: str | None) -> None:
        if scope.ended:
            return
        # Users without access get no details of internal errors.
        known = scope.user is not None and scope.user.role is not None
        text = scope.error_text(error, code)
        # A misplaced press has no chat in which only the person reads the text.
        replies = message_rows(scope.lane, clip(text)) if known and not scope.is_misplaced else []
        now, emptied = scope.now, list[bool]()

        def forget(conn: Connection) -> None:
            emptied.append(scope.parts.relevance.empty_irrelevant(conn, scope.row, now))

        def reason() -> str:
            # The text of an error may quote the content.
            return with_kind(type(error).__name__, "" if emptied[-1] else text_of(error))

        await scope.end(forget, replies=replies, state="failed", error=reason)


async def _code_of(scope: UpdateScope, error: Exception) -> str | None:
    """Report an unexpected error and return its code, once it is stored; log an expected one.

    ``TgllmError`` and its subclasses are expected: their codes have texts that say what to do. Where one of them stands
    for an unexpected error, its code has been reported where it was raised (``error_id``).
    """
    if isinstance(error, TgllmError) and error.code != TgllmError.default_code:
        log.warning("update.failed", kind=scope.row.kind, code=error.code, error=text_of(error))
        code = None
    else:
        code = scope.report(error, event="update.failed", kind=scope.row.kind)
    # Before the person reads the code.
    await scope.core.errors.settle()
    return code
