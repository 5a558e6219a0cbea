"""Errors that no code handles, as lines of the log: of callbacks of the event loop, of threads and of finalizers."""

import asyncio
import sys
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from tgllm.observe.content import handling
from tgllm.observe.errors import raw_texts
from tgllm.observe.logs import get_logger

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["log_loop_error", "uncaught_logged"]

log = get_logger(__name__)


def log_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error that the event loop reports, such as that of a task which is not awaited."""
    task = context.get("task") or context.get("future")
    name = task.get_name() if isinstance(task, asyncio.Task) else None
    # Objects of the context may quote contents, so only their names are logged, and no arguments of a callback.
    message, _, _ = str(context.get("message", "")).partition("(")
    error = context.get("exception")
    with _unquoted(error):
        log.error("loop.error", message=message, task=name, exc_info=error)


@contextmanager
def uncaught_logged() -> Generator[None]:
    """Log uncaught errors of threads and finalizers inside the block."""
    before = threading.excepthook, sys.unraisablehook
    threading.excepthook, sys.unraisablehook = _of_thread, _of_finalizer
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = before


def _of_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_type is not SystemExit:
        name = None if found.thread is None else found.thread.name
        with _unquoted(found.exc_value):
            log.error("thread.failed", thread=name, exc_info=found.exc_value)


def _of_finalizer(found: "UnraisableHookArgs") -> None:
    kind = type(found.object).__name__
    with _unquoted(found.exc_value):
        log.error("finalizer.failed", object=kind, exc_info=found.exc_value)


def _unquoted(error: BaseException | None) -> AbstractContextManager[None]:
    """Leave the messages of an error out of the log: they may quote people, and here nothing says which texts."""
    return handling(lambda: raw_texts(error))
