"""Attempts with waits between them, up to the first piece of the answer."""

import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from tgllm.api.clock import Clock
from tgllm.api.errors import ProviderError, RateLimited, Unavailable
from tgllm.api.events import Finished, StreamEvent, Waiting

__all__ = ["Retry"]

_T = TypeVar("_T")


class Retry:
    """Tries again after ``RateLimited`` and ``Unavailable``; every other error is final.

    A service that names a time to wait (``retry_after`` in the error) is waited for that long. Otherwise the wait is a
    random part of 1, 2, 4 ... seconds, so that many chats don't come back at the same moment.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        attempts: int = 3,
        max_wait: float = 30.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Make a policy.

        Args:
            clock: waits.
            attempts: calls in all, the first included.
            max_wait: the longest wait in seconds; a service that asks for a longer one is not asked again.
            chance: a random number from 0 to 1.
        """
        self._clock = clock
        self._attempts = attempts
        self._max_wait = max_wait
        self._chance = chance

    async def call(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """The result of ``attempt``.

        Raises:
            ProviderError: the last attempt's.
        """
        tried = 1
        while True:
            try:
                return await attempt()
            except (RateLimited, Unavailable) as error:
                wait = self._wait(error, tried)
            tried += 1
            await self._clock.sleep(wait)

    async def stream(
        self, attempt: Callable[[], AsyncGenerator[StreamEvent, None]]
    ) -> AsyncGenerator[StreamEvent, None]:
        """The events of ``attempt``, called again while nothing of an answer has come.

        A ``Waiting`` event is yielded before each wait. An answer that finishes without a word is asked for once more.

        Raises:
            ProviderError: the last attempt's, or the first after a piece of the answer.
        """
        tried, emptied = 1, False
        while True:
            begun = False
            try:
                async with aclosing(attempt()) as events:
                    async for event in events:
                        if _is_empty(event) and not begun and not emptied and tried < self._attempts:
                            emptied = True
                            break
                        begun = begun or not isinstance(event, Waiting)
                        yield event
                    else:
                        return
                waiting = Waiting("retry", self._backoff(tried))
            except (RateLimited, Unavailable) as error:
                if begun:
                    raise
                reason = "rate_limit" if isinstance(error, RateLimited) else "retry"
                waiting = Waiting(reason, self._wait(error, tried))
            tried += 1
            yield waiting
            await self._clock.sleep(waiting.seconds or 0)

    def _wait(self, error: ProviderError, tried: int) -> float:
        """Seconds before the next attempt; raises the error if there is to be none."""
        asked = error.params.get("retry_after")
        asked = float(asked) if isinstance(asked, int | float) else 0.0
        if tried >= self._attempts or asked > self._max_wait:
            raise error
        return max(asked, self._backoff(tried))

    def _backoff(self, tried: int) -> float:
        return self._chance() * min(self._max_wait, 2.0 ** (tried - 1))


def _is_empty(event: StreamEvent) -> bool:
    return isinstance(event, Finished) and event.reason == "stop"
