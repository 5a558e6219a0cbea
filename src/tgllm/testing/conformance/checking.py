"""How a test of the kit says what is wrong: in words, since an author reads them who did not write the test."""

from collections.abc import Callable
from typing import Final

from tgllm.api.clock import Clock, SystemClock

__all__ = ["check", "eventually"]

_STEP_SECONDS: Final = 0.005


def check(condition: object, otherwise: str) -> None:
    """Let the test fail with these words unless the condition holds.

    Raises:
        AssertionError: it does not.
    """
    if not condition:
        raise AssertionError(otherwise)


async def eventually(condition: Callable[[], bool], otherwise: str, seconds: float, clock: Clock | None = None) -> None:
    """Wait until the condition holds, at most that many seconds; ``check`` says the rest."""
    clock = clock or SystemClock()
    end = clock.monotonic() + seconds
    while not condition() and clock.monotonic() < end:
        await clock.sleep(_STEP_SECONDS)
    check(condition(), otherwise)
