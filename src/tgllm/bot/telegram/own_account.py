"""The bot's own account, which is asked for at startup until Telegram answers."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiogram.types import User

from tgllm.api.clock import Clock
from tgllm.bot.telegram.failures import classify, fatal_error
from tgllm.bot.telegram.outage import Outage
from tgllm.observe.logs import get_logger
from tgllm.observe.service_manager import service_manager

__all__ = ["who_am_i"]

log = get_logger("tgllm.bot.runtime")

LONGEST_PAUSE_SECONDS: Final = 30.0


async def who_am_i(get_me: Callable[[], Awaitable[User]], clock: Clock) -> User:
    """Return the bot's own account; retry after network errors.

    Raises:
        TelegramRefused: the token is wrong.
    """
    failures = 0
    outage = Outage(log, clock, "bot.no_connection")
    while True:
        try:
            me = await get_me()
        except Exception as error:
            fatal = fatal_error(error)
            if fatal is not None:
                raise fatal from error
            failures += 1
            failure = classify(error)
            pause = failure.pause(failures, LONGEST_PAUSE_SECONDS)
            outage.failed(failure, retry_in_seconds=pause)
            service_manager().ready(f"waiting for Telegram: {failure.reason}")
            await clock.sleep(pause)
        else:
            outage.over()
            return me
