"""Checks whose failures are sentences, for plugin authors who have not read the tests."""

from collections.abc import Callable
from typing import Final

import pytest

from tgllm.api.clock import Clock, SystemClock

__all__ = ["check", "eventually", "offered"]

_STEP_SECONDS: Final = 0.005


def check(condition: object, otherwise: str) -> None:
    """Fail the test with the message ``otherwise`` unless the condition is true.

    Raises:
        AssertionError: the condition is false.
    """
    if not condition:
        raise AssertionError(otherwise)


def offered(order: Callable[[], object]) -> None:
    """Give an order to the service, or skip the test if the service does not support it, as one for an earlier kit."""
    try:
        order()
    except NotImplementedError:
        pytest.skip("the service under test raises NotImplementedError here; implement the operation to run this test")


async def eventually(condition: Callable[[], bool], otherwise: str, seconds: float, clock: Clock | None = None) -> None:
    """Wait until the condition is true, for at most ``seconds``; then fail with ``otherwise`` as ``check`` does."""
    clock = clock or SystemClock()
    end = clock.monotonic() + seconds
    while not condition() and clock.monotonic() < end:
        await clock.sleep(_STEP_SECONDS)
    check(condition(), otherwise)
