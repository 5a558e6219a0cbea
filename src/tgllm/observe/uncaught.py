"""Errors that no code handles, as lines of the log: of callbacks of the event loop, of threads and of finalizers."""

import asyncio
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tgllm.observe.logs import get_logger

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["log_loop_error", "uncaught_logged"]

log = get_logger(__name__)


def log_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error that the event loop reports, such as that of a task which is not awaited."""
    task = context.get("task") or context.get("future")
    name = task.get_name() if isinstance(task, asyncio.Task) else None
    # Objects of the context may quote contents, so only their names are logged.
    log.error("loop.error", message=str(context.get("message", "")), task=name, exc_info=context.get("exception"))


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
        log.error("thread.failed", thread=name, exc_info=found.exc_value)


def _of_finalizer(found: "UnraisableHookArgs") -> None:
    kind = type(found.object).__name__
    log.error("finalizer.failed", object=kind, exc_info=found.exc_value)
