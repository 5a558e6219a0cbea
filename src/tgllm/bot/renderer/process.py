"""The rendering process, as seen by the bot: started when it is first needed, and kept."""

import asyncio
import math
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tgllm.bot.renderer import wire
from tgllm.observe.logs import get_logger

__all__ = ["RenderProcess"]

log = get_logger(__name__)

START_SECONDS = 10.0
"""Time to start Python and to import the renderer, which takes a fifth of a second."""
_WORKER = Path(__file__).with_name("worker.py")
_ENVIRONMENT = frozenset({"PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT"})
"""Variables that Python may need to start. The others may be keys, which a process that reads foreign texts must not
have."""


def worker_command() -> list[str]:
    """Return the command line of the process. ``-P``: modules of the current folder are not imported."""
    return [sys.executable, "-P", str(_WORKER)]


class RenderProcess:
    """Runs one task at a time. A task that exceeds its time ends the process; the next task starts another one."""

    def __init__(self) -> None:
        """Create the handle; nothing is started."""
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, task: wire.Task, text: str, option: str | int | None, seconds: float) -> Any:  # noqa: ANN401  JSON
        """Run a task; start the process first, if there is none.

        Args:
            task: what to do.
            text: Markdown.
            option: see ``tasks.run``.
            seconds: time limit, without the time to start the process.

        Raises:
            TimeoutError: the time is over; the process is ended.
            OSError: the process can't be started, or has ended.
            RuntimeError: the task has raised an exception.
        """
        given = {"task": task, "text": text, "option": option, "seconds": math.ceil(seconds) + 1}
        try:
            process = await self._running()
            async with asyncio.timeout(seconds):
                answer = await _exchange(process, given)
        except BaseException:
            # Also when this call is cancelled: the process would answer the wrong task next.
            await self.aclose()
            raise
        if "error" in answer:
            raise RuntimeError(f"the renderer raised {answer['error']}")
        return answer["result"]

    async def aclose(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        self._process = process = await asyncio.create_subprocess_exec(
            *worker_command(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Messages of the interpreter may contain the text.
            stderr=asyncio.subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name in _ENVIRONMENT},
        )
        async with asyncio.timeout(START_SECONDS):
            await _read(process)
        return process


async def _exchange(process: asyncio.subprocess.Process, given: Mapping[str, Any]) -> dict[str, Any]:
    if process.stdin is None:
        raise OSError("the rendering process has no input")
    process.stdin.write(wire.packed(given))
    await process.stdin.drain()
    return await _read(process)


async def _read(process: asyncio.subprocess.Process) -> dict[str, Any]:
    if process.stdout is None:
        raise OSError("the rendering process has no output")
    try:
        head = await process.stdout.readexactly(wire.LENGTH_BYTES)
        return wire.read(await process.stdout.readexactly(wire.length_of(head)))
    except asyncio.IncompleteReadError:
        raise OSError("the rendering process has ended") from None
