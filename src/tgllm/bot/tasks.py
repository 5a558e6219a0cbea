"""Tasks of the runtime: how they are waited for, ended, and how they have failed."""

import asyncio
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from typing import Any, cast

from tgllm.api import DatabaseError

__all__ = ["cancel_all", "database_error_of", "raise_failure", "within"]


async def within(seconds: float, waiting: Awaitable[object]) -> bool:
    """Wait with a timeout; return whether ``waiting`` finished in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await waiting
            return True
    return False


async def cancel_all(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def database_error_of(tasks: Iterable[asyncio.Task[None]]) -> DatabaseError | None:
    """Return the error of the database that has ended one of the tasks."""
    ended = (task.exception() for task in tasks if task.done() and not task.cancelled())
    errors = (_innermost(error) for error in ended if error is not None)
    return next((error for error in errors if isinstance(error, DatabaseError)), None)


def raise_failure(task: asyncio.Task[None]) -> None:
    """Raise the error of a task, unwrapped from exception groups."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        raise _innermost(error)


def _innermost(error: BaseException) -> BaseException:
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return _innermost(group.exceptions[0])
    return error
