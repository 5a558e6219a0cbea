"""A clock that the bot and the emulated Telegram share, and that skips the time in which nothing happens."""

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

import pytest
from aiogram import Bot
from aiogram.methods import TelegramMethod

from tgllm.bot.telegram.session import BotSession

LONG_PAUSE = 0.5


class SharedClock:
    """The time of the bot and of Telegram: it goes on to what is due next when nothing is left to do before that."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._count = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return 1_767_225_600.0 + self._elapsed

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self._count += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, self._count, future))
        await future

    async def run(self, is_busy: Callable[[], bool]) -> None:
        """Go on until cancelled, and never while ``is_busy`` says that a call is under way."""
        while True:
            for _ in range(20):
                await asyncio.sleep(0)
            slept = self._count
            if self._pause() >= LONG_PAUSE:
                # It may only look like a pause while the database works, in its threads.
                await asyncio.sleep(0.05)
            if slept == self._count and self._sleepers and not is_busy():
                self._wake()
            else:
                await asyncio.sleep(0)

    def _pause(self) -> float:
        return self._sleepers[0][0] - self._elapsed if self._sleepers else LONG_PAUSE

    def _wake(self) -> None:
        # Times that differ by a rounding error are one.
        self._elapsed = max(self._elapsed, self._sleepers[0][0] + 1e-6)
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)


def calls_under_way(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The bot's calls that have begun and not ended, by ``id``; getUpdates is left out, since it waits."""
    calls: set[int] = set()
    send = BotSession.make_request

    async def make_request(
        session: BotSession, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None
    ) -> Any:
        if method.__api_method__ == "getUpdates":
            return await send(session, bot, method, timeout)
        calls.add(id(method))
        try:
            return await send(session, bot, method, timeout)
        finally:
            calls.remove(id(method))

    monkeypatch.setattr(BotSession, "make_request", make_request)
    return calls
