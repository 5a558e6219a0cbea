"""The client of the Bot API: its session, with the limiter."""

from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer

from tgllm.api.clock import Clock, SystemClock
from tgllm.bot.telegram.call_report import CallReport
from tgllm.bot.telegram.limiter import Limiter
from tgllm.bot.telegram.session import BotSession

__all__ = ["make_bot"]


def make_bot(token: str, api: str, limiter: Limiter, *, request_seconds: float, clock: Clock | None = None) -> Bot:
    """Return the client of the Bot API server at ``api``; all its calls pass the limiter."""
    clock = clock or SystemClock()
    session = BotSession(TelegramAPIServer.from_base(api), timeout=request_seconds, clock=clock)
    session.middleware(limiter)
    session.middleware(CallReport(clock))
    return Bot(token, session=session)
