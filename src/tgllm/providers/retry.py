"""Retries with backoff, up to the first piece of the answer."""

import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from tgllm.api.clock import Clock
from tgllm.api.errors import BadResponse, ProviderError, RateLimited, Unavailable
from tgllm.api.events import Finished, StreamEvent, ToolCallDelta, Waiting

__all__ = ["NoAnswer", "Retry"]

_T = TypeVar("_T")


class NoAnswer(BadResponse):
    """An answer without content, in which a field has the wrong type."""


class Retry:
    """Retry policy for ``RateLimited`` and ``Unavailable``; every other error is final.

    The wait is a random fraction of 1, 2, 4 ... seconds (exponential backoff with jitter), or the error's
    ``retry_after`` if that is longer.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        attempts: int = 3,
        max_wait: float = 30.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Create a policy.

        Args:
            clock: clock for the waits.
            attempts: maximum number of calls, including the first.
            max_wait: maximum wait in seconds; an error with a longer ``retry_after`` is not retried.
            chance: returns a random number from 0 to 1.
        """
        self._clock = clock
        self._attempts = attempts
        self._max_wait = max_wait
        self._chance = chance

    async def call(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """Call ``attempt`` with retries, and return its result.

        Raises:
            ProviderError: the error of the last attempt.
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
        """Yield the events of ``attempt``, which is retried until the first piece of an answer.

        A ``Waiting`` event is yielded before each wait. An empty answer is retried once, and so is
        one in which nothing can be read.

        Raises:
            ProviderError: the error of the last attempt, or any error after the first piece of the answer.
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
                        begun = begun or not isinstance(event, Waiting | ToolCallDelta)
                        yield event
                    else:
                        return
                waiting = Waiting("retry", self._backoff(tried))
            except NoAnswer:
                if begun or emptied or tried >= self._attempts:
                    raise
                emptied = True
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
        """Return the seconds before the next attempt, or raise the error if there is none."""
        asked = error.params.get("retry_after")
        asked = float(asked) if isinstance(asked, int | float) else 0.0
        if tried >= self._attempts or asked > self._max_wait:
            raise error
        return max(asked, self._backoff(tried))

    def _backoff(self, tried: int) -> float:
        return self._chance() * min(self._max_wait, 2.0 ** (tried - 1))


def _is_empty(event: StreamEvent) -> bool:
    return isinstance(event, Finished) and event.reason == "stop"
