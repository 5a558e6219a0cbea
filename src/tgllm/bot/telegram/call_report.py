"""Log lines, metrics and spans of Bot API calls."""

from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.methods import Response
from aiogram.methods.base import TelegramMethod, TelegramType

from tgllm.api.clock import Clock
from tgllm.bot.telegram.failures import NOT_MODIFIED, classify
from tgllm.bot.telegram.get_updates import RawGetUpdates
from tgllm.observe.logs import get_logger
from tgllm.observe.metrics.table import TELEGRAM_CALLS, TELEGRAM_LIMITED, TELEGRAM_SECONDS
from tgllm.observe.tracing.spans import NO_SPAN, Span, span

__all__ = ["CallReport"]

log = get_logger(__name__)

_POLL = RawGetUpdates.__api_method__


class CallReport(BaseRequestMiddleware):
    """Session middleware below the limiter, so that durations are those of Telegram."""

    def __init__(self, clock: Clock) -> None:
        """Measure with a clock."""
        self._clock = clock

    async def __call__(
        self, make_request: NextRequestMiddlewareType[TelegramType], bot: Bot, method: TelegramMethod[TelegramType]
    ) -> Response[TelegramType]:
        """Make the call. A long poll has no span, and its failures are logged by the poller."""
        name = method.__api_method__
        if name == _POLL:
            return await self._observed(make_request, bot, method)
        with span(f"telegram {name}", "client", {"tgllm.telegram.method": name}) as opened:
            return await self._observed(make_request, bot, method, opened)

    async def _observed(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
        opened: Span = NO_SPAN,
    ) -> Response[TelegramType]:
        name, began = method.__api_method__, self._clock.monotonic()
        try:
            response = await make_request(bot, method)
        except Exception as error:
            self._failed(method, error, began, opened)
            raise
        TELEGRAM_CALLS.add(name, "ok")
        if name != _POLL:
            TELEGRAM_SECONDS.observe(self._clock.monotonic() - began)
        return response

    def _failed(self, method: TelegramMethod[Any], error: Exception, began: float, opened: Span) -> None:
        name, seconds, failure = method.__api_method__, self._clock.monotonic() - began, classify(error)
        if NOT_MODIFIED in failure.reason:
            TELEGRAM_CALLS.add(name, "ok")
            return
        TELEGRAM_CALLS.add(name, failure.meaning)
        if failure.meaning == "wait":
            TELEGRAM_LIMITED.add(name)
        if name == _POLL:
            return
        TELEGRAM_SECONDS.observe(seconds)
        opened.fail(failure.meaning)
        log.info(
            "telegram.call_failed",
            method=name,
            chat=getattr(method, "chat_id", None),
            meaning=failure.meaning,
            reason=failure.reason,
            retry_after_seconds=failure.retry_after if failure.meaning == "wait" else None,
            duration_ms=round(seconds * 1000),
        )
