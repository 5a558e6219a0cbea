"""Runs of installers, as processes of their own, with their output as it comes."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tgllm.plugins.installing.commands import Command

__all__ = ["Ended", "run"]

FINISH_SECONDS: Final = 120.0
"""After Ctrl-C: time for an installer that is already changing the environment to finish."""
GRACE_SECONDS: Final = 10.0
"""Time between an interrupt, or a time-out, and the kill."""
_MOST_LINES: Final = 2_000
_LONGEST_LINE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Ended:
    """How an installer has ended."""

    code: int
    lines: tuple[str, ...]
    """Its output."""
    is_late: bool = False
    """Whether it was ended because the time was over."""


async def run(command: Command, seconds: float, on_line: Callable[[str], None] = lambda _line: None) -> Ended:
    """Run an installer and return how it ended.

    It is in a process group of its own, which Ctrl-C does not reach: if this call is cancelled while the installer only
    resolves and downloads, it is interrupted; once it changes the environment, it may finish.

    Args:
        command: the command.
        seconds: time limit.
        on_line: called with each line of its output.

    Raises:
        OSError: the program can't be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command.words,
        env={**os.environ, **command.variables},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        limit=_LONGEST_LINE,
    )
    lines: deque[str] = deque(maxlen=_MOST_LINES)
    is_committed = False

    async def read() -> None:
        nonlocal is_committed
        assert process.stdout is not None  # noqa: S101  a pipe, see above
        while line := await process.stdout.readline():
            text = line.decode(errors="replace").rstrip()
            lines.append(text)
            is_committed = is_committed or text.strip().startswith(command.commits_at or ("\0",))
            on_line(text)
        await process.wait()

    reading = asyncio.create_task(read())
    try:
        done, _ = await asyncio.wait({reading}, timeout=seconds)
        if not done:
            await _end(process, reading)
            return Ended(1, tuple(lines), is_late=True)
        reading.result()
        return Ended(process.returncode or 0, tuple(lines))
    finally:
        if not reading.done():
            if is_committed:
                await asyncio.wait({reading}, timeout=FINISH_SECONDS)
            await _end(process, reading)


async def _end(process: asyncio.subprocess.Process, reading: "asyncio.Task[None]") -> None:
    for number in (signal.SIGINT, signal.SIGKILL):
        if reading.done():
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        await asyncio.wait({reading}, timeout=GRACE_SECONDS)
    reading.cancel()
