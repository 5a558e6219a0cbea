"""Runs of installers, as processes of their own, with their output as it comes."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Callable
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
_LONGEST_LINE: Final = 10_000
"""Bytes that are kept of a line."""
_BLOCK: Final = 1 << 16
REST_SECONDS: Final = 5.0
"""Time for the output after the end of the program: what it has started may keep the pipe open."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How an installer has ended."""

    code: int
    lines: tuple[str, ...]
    """Its output."""
    is_late: bool = False
    """Whether it was ended because the time was over."""


async def run(
    command: Command,
    seconds: float,
    on_line: Callable[[str], None] = lambda _line: None,
    *,
    is_foreign: bool = False,
) -> Ended:
    """Run an installer and return how it ended.

    It is in a process group of its own, which Ctrl-C does not reach: if this call is cancelled while the installer only
    resolves and downloads, it is interrupted; once it changes the environment, it may finish.

    Args:
        command: the command.
        seconds: time limit.
        on_line: called with each line of its output.
        is_foreign: whether it runs the code of a plugin: only its standard error is read, and all that it has started
            ends with it.

    Raises:
        OSError: the program can't be started.
    """
    output, pipe, end = await _pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command.words,
            env={**os.environ, **command.variables},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL if is_foreign else end,
            stderr=end,
            start_new_session=True,
        )
    except BaseException:
        pipe.close()
        raise
    finally:
        os.close(end)
    lines: deque[str] = deque(maxlen=_MOST_LINES)
    is_committed = False

    async def read() -> None:
        nonlocal is_committed
        async for text in _lines(output):
            lines.append(text)
            is_committed = is_committed or text.strip().startswith(command.commits_at or ("\0",))
            on_line(text)

    reading = asyncio.create_task(read())
    running = asyncio.create_task(_exit(process, reading))
    try:
        done, _ = await asyncio.wait({running}, timeout=seconds)
        if not done:
            await _end(process, running)
            return Ended(1, tuple(lines), is_late=True)
        running.result()
        return Ended(process.returncode or 0, tuple(lines))
    finally:
        if not running.done() and is_committed:
            await asyncio.wait({running}, timeout=FINISH_SECONDS)
        await _end(process, running)
        if is_foreign:
            _signal(process, signal.SIGKILL)
        reading.cancel()
        await asyncio.wait({reading})
        pipe.close()


async def _pipe() -> tuple[asyncio.StreamReader, asyncio.ReadTransport, int]:
    """Return what reads a pipe, and the end to write to.

    With a pipe of its own, asyncio takes a process for running as long as anything has the pipe open.
    """
    start, end = os.pipe()
    output = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(output), os.fdopen(start, "rb", buffering=0)
    )
    return output, pipe, end


async def _exit(process: asyncio.subprocess.Process, reading: "asyncio.Task[None]") -> None:
    """Wait for the end of a program, and then for its output, but not for what it has left running.

    Raises:
        Exception: the reading of the output has failed.
    """
    ended = asyncio.create_task(process.wait())
    try:
        await asyncio.wait({ended, reading}, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()
            await ended
        await asyncio.wait({reading}, timeout=REST_SECONDS)
    finally:
        ended.cancel()
    if reading.done():
        reading.result()


async def _lines(output: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yield the lines of an output; of a very long one, only its begin."""
    rest = b""
    while block := await output.read(_BLOCK):
        *whole, rest = (rest + block).split(b"\n")
        rest = rest[:_LONGEST_LINE]
        for line in whole:
            yield _text(line)
    if rest:
        yield _text(rest)


def _text(line: bytes) -> str:
    return line[:_LONGEST_LINE].decode(errors="replace").rstrip()


async def _end(process: asyncio.subprocess.Process, running: "asyncio.Task[None]") -> None:
    """End a program that still runs, also if its output could not be read."""
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.returncode is not None:
            break
        _signal(process, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await process.wait()
    running.cancel()
    await asyncio.wait({running})


def _signal(process: asyncio.subprocess.Process, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
