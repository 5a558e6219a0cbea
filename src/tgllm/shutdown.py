"""Shutdown request, set by a signal, and the event loop that only it ends."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

from tgllm.api.clock import Clock

__all__ = ["Stopping", "end_on_sigterm", "leave", "run_loop", "stop_on_signals"]

THREAD_SECONDS = 5.0
"""How long the exit of the process waits for threads."""
MOST_THREADS = 256
"""Maximum threads of ``asyncio.to_thread``. They are started on demand. Plugins share them with the bot, which also
resolves host names there: with Python's default, 6 on 2 cores, a few hanging calls of a plugin would stop the bot."""


class Stopping:
    """Shutdown request: an event, and an interruption of what is awaited during startup."""

    def __init__(self) -> None:
        """Create a request that is not set."""
        self.event = asyncio.Event()
        self.requested = False
        """Whether a signal has arrived. Set before ``event``, which needs the event loop; readable from any thread."""
        self._deadline: asyncio.Timeout | None = None

    def set(self) -> None:
        """Request the shutdown."""
        self.requested = True
        self.event.set()
        self._expire()

    @asynccontextmanager
    async def interrupts(self) -> AsyncGenerator[None]:
        """Interrupt what is awaited in this block when the shutdown is requested, like a timeout.

        Raises:
            TimeoutError: at the end of the block, if it was interrupted.
        """
        try:
            async with asyncio.timeout(None) as self._deadline:
                if self.event.is_set():
                    self._expire()
                yield
        finally:
            self._deadline = None

    def _expire(self) -> None:
        # An expired timeout can't be rescheduled.
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())


def end_on_sigterm() -> None:
    """Let SIGTERM end the process while nothing else handles it.

    The first process of a container has no default action for signals: without this, SIGTERM has no effect on it before
    the bot runs, and none at all on other commands.
    """
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))


def stop_on_signals(stopping: Stopping) -> None:
    """Request the shutdown on SIGTERM, SIGINT and SIGHUP; a second SIGTERM or SIGINT ends the process at once.

    SIGHUP stays ignored if it is (nohup).
    """
    loop = asyncio.get_running_loop()

    def at_once(number: int, _frame: FrameType | None) -> None:
        # Runs also while something blocks the event loop.
        if not stopping.requested:
            stopping.requested = True
        elif number != signal.SIGHUP:
            # A part that hangs must not delay the second request; the database is consistent at any time. A closed
            # terminal sends SIGHUP twice: from the shell, and from the system after the shell has ended.
            os._exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue
        # The loop wakes up by its own file descriptor; its handler in Python does nothing and can be replaced.
        loop.add_signal_handler(number, stopping.set)
        signal.signal(number, at_once)
        signal.siginterrupt(number, False)


def run_loop(main: Coroutine[Any, Any, None], ignored: Callable[[BaseException], None]) -> None:
    """Run on uvloop if it is installed, otherwise on asyncio's own loop.

    ``SystemExit`` and ``KeyboardInterrupt`` end an event loop from any task and any callback. Once the program handles
    its signals itself, they come from code of a plugin: they are passed to ``ignored``, and the loop continues. So is
    the error after a plugin's call of ``loop.stop``.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        loop = runner.get_loop()
        loop.set_default_executor(_UnawaitedThreads(MOST_THREADS, thread_name_prefix="tgllm-worker"))
        task = loop.create_task(main, name="main")
        while not task.done():
            try:
                loop.run_until_complete(task)
            except (SystemExit, KeyboardInterrupt, RuntimeError) as error:
                if task.done() or loop.is_closed() or signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                    raise
                ignored(error)


class _UnawaitedThreads(ThreadPoolExecutor):
    """Executor of ``asyncio.to_thread`` whose shutdown does not wait for its threads; ``leave`` does, with a limit."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  the signature of the base class
        """Let the threads end after their current calls."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)


def leave(code: int, clock: Clock, seconds: float = THREAD_SECONDS) -> None:
    """Wait for threads that would keep the process from exiting, such as those of plugins; then exit without them.

    Returns if all of them have ended.
    """
    deadline = clock.monotonic() + seconds
    others = [
        thread for thread in threading.enumerate() if thread is not threading.current_thread() and not thread.daemon
    ]
    for thread in others:
        thread.join(max(0.0, deadline - clock.monotonic()))
    left = [thread.name for thread in others if thread.is_alive()]
    if left:
        sys.stderr.write(f"tgllm: these threads did not end, and are abandoned: {', '.join(left)}\n")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  an extra, not on every system
    except ImportError:
        return None
    return uvloop.new_event_loop
