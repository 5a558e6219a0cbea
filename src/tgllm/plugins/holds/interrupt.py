"""Interruption of plugin code that blocks the event loop's thread.

A signal handler of Python runs on the main thread between two bytecodes, and during blocking calls that a signal
interrupts, such as ``time.sleep`` or a read from a socket. What it raises ends the code that is running. Code in C that
does not check for signals can't be interrupted.
"""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

__all__ = ["NUMBER", "BlockedTheLoop", "StillBlocksTheLoop", "interrupt", "interruptible"]

NUMBER = signal.SIGURG
"""The signal. Without a handler it does nothing, and hardly anything else uses it."""


class BlockedTheLoop(Exception):
    """Raised in plugin code that has blocked the bot for too long."""


class StillBlocksTheLoop(BaseException):
    """Raised if the code has caught ``BlockedTheLoop`` and goes on; ``except Exception`` does not catch it."""


@contextmanager
def interruptible(error_for: Callable[[FrameType | None], BaseException | None]) -> Generator[None]:
    """Install the handler for a ``with``; only the main thread can.

    Args:
        error_for: called on the main thread with the interrupted frame; returns what to raise there, or None.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_number: int, frame: FrameType | None) -> None:
        error = error_for(frame)
        if error is not None:
            raise error

    before = signal.signal(NUMBER, handle)
    try:
        yield
    finally:
        signal.signal(NUMBER, before)


def interrupt() -> None:
    """Have the handler called on the main thread; callable from any thread."""
    main = threading.main_thread().ident
    if main is not None:
        signal.pthread_kill(main, NUMBER)
