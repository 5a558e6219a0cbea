"""The client of the Bot API: its session, with the limiter."""

from collections.abc import Awaitable, Callable

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import Response
from aiogram.methods.base import TelegramMethod, TelegramType

from tgllm.api.clock import Clock, SystemClock
from tgllm.bot.telegram.call_report import CallReport
from tgllm.bot.telegram.limiter import Limiter
from tgllm.bot.telegram.session import BotSession

__all__ = ["make_bot"]


class _Permitted(BaseRequestMiddleware):
    """Session middleware that holds calls back until they may be made."""

    def __init__(self, permitted: Callable[[], Awaitable[None]]) -> None:
        self._permitted = permitted

    async def __call__(
        self, make_request: NextRequestMiddlewareType[TelegramType], bot: Bot, method: TelegramMethod[TelegramType]
    ) -> Response[TelegramType]:
        await self._permitted()
        return await make_request(bot, method)


def make_bot(
    token: str,
    api: str,
    limiter: Limiter,
    *,
    request_seconds: float,
    clock: Clock | None = None,
    permitted: Callable[[], Awaitable[None]] | None = None,
) -> Bot:
    """Return the client of the Bot API server at ``api``; all its calls pass the limiter.

    Args:
        token: the bot's.
        api: address of the server.
        limiter: delays calls.
        request_seconds: timeout of a call.
        clock: the clock.
        permitted: awaited right before each call, after the limiter.
    """
    clock = clock or SystemClock()
    session = BotSession(TelegramAPIServer.from_base(api), timeout=request_seconds, clock=clock)
    session.middleware(limiter)
    if permitted is not None:
        session.middleware(_Permitted(permitted))
    session.middleware(CallReport(clock))
    return Bot(token, session=session)
