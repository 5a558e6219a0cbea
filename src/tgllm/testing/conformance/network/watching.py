"""Detection of code that blocks the event loop, by counts and not by times."""

import asyncio
import socket
import sys
import threading
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from tgllm.api.clock import SystemClock

__all__ = ["Blocks", "forbid_blocking_sockets", "watching_the_loop"]

_TICK: Final = 0.004
_TICKS: Final = 25
"""Looks of the watching thread within one step of the loop. On a busy machine the thread looks less often, too."""
_BEAT: Final = 0.001
_SWITCH: Final = 0.0005
"""Seconds after which the interpreter lets another thread run, so that the watching thread is on time."""


@dataclass(slots=True)
class Blocks:
    """What has blocked the loop."""

    found: list[str] = field(default_factory=list[str])
    """Stacks of the calls, and the calls of ``time.sleep``."""


def forbid_blocking_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let blocking connections and name look-ups on an event loop raise an error.

    The service under test runs on the same loop, so that both would wait forever.
    """
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def checked_connect(self: socket.socket, address: Any) -> None:  # noqa: ANN401  of the address family
        if self.gettimeout() != 0 and _on_a_loop():
            raise RuntimeError("a blocking connection on the event loop: use an asynchronous client")
        connect(self, address)

    def checked_look_up(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  passed through
        if _on_a_loop():
            raise RuntimeError("a blocking look-up of a name on the event loop: use an asynchronous client")
        return look_up(*args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", checked_connect)
    monkeypatch.setattr(socket, "getaddrinfo", checked_look_up)


@asynccontextmanager
async def watching_the_loop() -> AsyncGenerator[Blocks]:
    """Record what blocks the running loop within the block.

    A task of the loop counts its steps, and a thread looks at the count: where it looks many times between two steps,
    the stack of the loop's thread shows the call.
    """
    blocks, watch = Blocks(), _Watch()

    def recorded_sleep(seconds: float) -> None:
        if _on_a_loop():
            blocks.found.append(f"time.sleep({seconds:g}) at {_caller()}")
        threading.Event().wait(seconds)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    beating = asyncio.create_task(watch.beat(), name="heartbeat of the loop")
    thread = threading.Thread(target=watch.look, args=(blocks.found.append,), name="watch the loop", daemon=True)
    thread.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("time.sleep", recorded_sleep)
            yield blocks
    finally:
        watch.over.set()
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        thread.join()
        sys.setswitchinterval(interval)


class _Watch:
    def __init__(self) -> None:
        self.beats = 0
        self.over = threading.Event()
        self._thread = threading.get_ident()

    async def beat(self) -> None:
        clock = SystemClock()
        while True:
            self.beats += 1
            await clock.sleep(_BEAT)

    def look(self, report: Callable[[str], None]) -> None:
        seen, looks = -1, 0
        while not self.over.wait(_TICK):
            looks = looks + 1 if seen == self.beats else 0
            seen = self.beats
            if looks == _TICKS and (where := self._where()):
                report(where)

    def _where(self) -> str:
        """Return the stack of the loop's thread within the loop's step; empty if it only waits for events."""
        frame = sys._current_frames().get(self._thread)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  no other way to the stack of a thread
        stack = traceback.extract_stack(frame)
        if not stack or stack[-1].filename.endswith("selectors.py"):
            return ""
        return "".join(traceback.format_list(stack[-6:]))


def _on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _caller() -> str:
    place = traceback.extract_stack(limit=3)[0]
    return f"{place.filename}:{place.lineno}"
