"""Checks whose failures are sentences, for plugin authors who have not read the tests."""

import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, Generic, NoReturn, TypeVar

import pytest

from tgllm.api.clock import Clock, SystemClock

__all__ = ["NotCovered", "check", "eventually", "exempted", "not_covered", "offered", "raising"]

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

_STEP_SECONDS: Final = 0.005
_exempt: list[bool] = []
"""Not empty while an exempt test runs."""


class NotCovered(UserWarning):
    """The service under test lacks an operation, so that tests of the kit are not run."""


def check(condition: object, otherwise: str) -> None:
    """Fail the test with the message ``otherwise`` unless the condition is true.

    Raises:
        AssertionError: the condition is false.
    """
    if not condition:
        raise AssertionError(otherwise)


class Caught(Generic[E]):
    """The error of a block of ``raising``, once that has ended."""

    value: E


@contextmanager
def raising(kind: type[E], when: str, best: type[Exception] | None = None) -> Generator[Caught[E]]:
    """Fail the test with a sentence unless the block raises an error of this kind.

    Args:
        kind: the error to raise.
        when: what has happened.
        best: the error that the sentence names; None: ``kind``.

    Raises:
        AssertionError: it raises nothing, or something else.
    """
    caught = Caught[E]()
    wanted = f"{when}: raise {(best or kind).__name__} of tgllm.api"
    try:
        yield caught
    except kind as error:
        caught.value = error
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"{wanted}; it raises {error!r}") from error
    else:
        raise AssertionError(f"{wanted}; it raises nothing")


def offered(operation: str, order: Callable[[], T]) -> T:
    """Give an order to the service, and return its result; skip the test if the service lacks the operation."""
    try:
        return order()
    except NotImplementedError:
        not_covered(f"override {operation}")


def not_covered(what_to_do: str) -> NoReturn:
    """Skip the test, with a warning that says what to do with the service to run it.

    Raises:
        NotImplementedError: the test is exempt, so that it has to fail.
    """
    words = f"not covered: {what_to_do} of the service under test, so that the kit can test this"
    if _exempt:
        raise NotImplementedError(words)
    with warnings.catch_warnings():
        # Shown where warnings are errors, too: the author learns of a gap, and the test does not fail.
        warnings.simplefilter("always", NotCovered)
        warnings.warn(words, NotCovered, stacklevel=2)
    pytest.skip(words)


@contextmanager
def exempted() -> Generator[None, None, None]:
    """Let ``not_covered`` fail without a warning, for a test that has an exemption with its reason."""
    _exempt.append(True)
    try:
        yield
    finally:
        _exempt.pop()


async def eventually(condition: Callable[[], bool], otherwise: str, seconds: float, clock: Clock | None = None) -> None:
    """Wait until the condition is true, for at most ``seconds``; then fail with ``otherwise`` as ``check`` does."""
    clock = clock or SystemClock()
    end = clock.monotonic() + seconds
    while not condition() and clock.monotonic() < end:
        await clock.sleep(_STEP_SECONDS)
    check(condition(), otherwise)
