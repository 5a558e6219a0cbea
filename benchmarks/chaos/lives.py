"""Lives of the program: a start, a moment of its kill, and its end."""

import asyncio
import math
import os
import random
import signal
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.chaos.victim import MOMENTS
from benchmarks.process import PYTHON_PATH
from tgllm.testing.emulator import Emulator, Fault

__all__ = ["Kill", "Program", "choose"]

READY_SECONDS: Final = 180.0
_HELD: Final = ("held before", "held after")


@dataclass(frozen=True, slots=True)
class Kill:
    """When a life ends.

    ``any time`` is a random time after the program is ready, ``start`` one before; ``drain`` is during a shutdown;
    ``held before`` and ``held after`` are while Telegram holds a request, before or after its execution.
    """

    moment: str
    nth: int = 1
    seconds: float = 0.0
    """From the start or from when it is ready; with another moment, when it is killed if that does not come."""
    before: float = 0.0
    """From when it is ready to the beginning of its shutdown."""


def choose(dice: random.Random, *, aimed: bool, life: float) -> Kill:
    """Choose a kill.

    Args:
        dice: chooses.
        aimed: mostly at a moment that is hard to survive; otherwise mostly at any time.
        life: longest life after the program is ready, in seconds.
    """
    before, part = dice.random() * life / 4, dice.random()
    if not aimed:
        moment = dice.choices(("any time", "start", "drain"), (8, 1, 1))[0]
        return Kill(moment, 1, part * {"any time": life, "start": 1.5, "drain": life / 4}[moment], before)
    moment = dice.choice((*MOMENTS, *_HELD, "drain", "start", "any time"))
    # As many as there are, about, in such a life with a few questions.
    most = math.ceil({"statement": 400, "commit": 40, "committed": 40, "wait": 8}.get(moment, 4) * life / 4)
    longest = {"drain": 1.0, "start": 1.5, "any time": life}.get(moment)
    return Kill(moment, dice.randint(1, most), 3 * life if longest is None else part * longest, before)


class Program:
    """The program, run once and killed, or run to its end."""

    def __init__(self, emulator: Emulator, folder: Path, variables: Mapping[str, str]) -> None:
        """Prepare runs; the program's output is appended to the file ``log`` in the folder."""
        self._emulator = emulator
        self._folder = folder
        self._variables = variables
        self.states = folder / "states"
        """File of the changes in the outbox; see ``benchmarks.chaos.victim``."""
        self._is_ready = asyncio.Event()
        self._held: list[Fault] = []
        self._process: asyncio.subprocess.Process | None = None

    async def live(self, kill: Kill) -> str:
        """Run the program until it is killed; return the moment, ``any time`` if the one of the kill did not come."""
        process = await self.start(kill)
        try:
            return await self._await_end(process, kill)
        finally:
            _kill(process)
            await process.wait()
            # Only now, so that a held request is not answered to a living program.
            for fault in self._held:
                self._emulator.faults.remove(fault)
            self._held.clear()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Program"]:
        """Run it without a kill, and kill it at the end of the block if it has not ended."""
        process = await self.start(Kill(""))
        following = asyncio.create_task(self.follow(process))
        try:
            self._process = process
            yield self
        finally:
            _kill(process)
            await process.wait()
            await following

    async def stop(self) -> int | None:
        """End it in order, inside of the block of ``running``; return its exit code."""
        process = self._process
        if process is None:
            return None
        process.send_signal(signal.SIGTERM)
        return await process.wait()

    async def _await_end(self, process: asyncio.subprocess.Process, kill: Kill) -> str:
        if kill.moment == "start":
            await _ends(process, kill.seconds)
            return kill.moment
        following = asyncio.create_task(self.follow(process))
        try:
            return await self._await_moment(process, kill)
        finally:
            _kill(process)
            await following

    async def _await_moment(self, process: asyncio.subprocess.Process, kill: Kill) -> str:
        async with asyncio.timeout(READY_SECONDS):
            await self._is_ready.wait()
        if kill.moment == "drain":
            await asyncio.sleep(kill.before)
            if process.returncode is None:
                os.kill(process.pid, signal.SIGTERM)
        if kill.moment in _HELD:
            return await self._await_held(kill)
        is_within = await _ends(process, kill.seconds)
        return kill.moment if is_within or kill.moment not in MOMENTS else "any time"

    async def _await_held(self, kill: Kill) -> str:
        fault = self._emulator.faults.add(Fault.hold("sendMessage", after=kill.moment == "held after"))
        self._held.append(fault)
        try:
            async with asyncio.timeout(kill.seconds):
                await fault.reached.wait()
        except TimeoutError:
            return "any time"
        return kill.moment

    def note(self, what: str) -> None:
        """Write a line into the log between those of the program."""
        with (self._folder / "log").open("a") as log:
            log.write(f"# {time.strftime('%H:%M:%S', time.gmtime())} {what}\n")

    async def follow(self, process: asyncio.subprocess.Process) -> None:
        """Copy its output to the log until it ends."""
        assert process.stdout is not None  # noqa: S101  it was opened as a pipe
        with (self._folder / "log").open("ab", buffering=0) as log:
            while line := await process.stdout.readline():
                log.write(line)
                if b"bot.ready" in line:
                    self._is_ready.set()
        self._is_ready.set()

    async def start(self, kill: Kill) -> asyncio.subprocess.Process:
        """Start a process that kills itself at the moment of the kill, if that is one from within."""
        self._is_ready = asyncio.Event()
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("TGLLM_", "CHAOS_"))}
        environment |= {"PYTHONPATH": PYTHON_PATH, "CHAOS_LOG": str(self.states), **self._variables}
        if kill.moment in MOMENTS:
            environment |= {"CHAOS_MOMENT": kill.moment, "CHAOS_NTH": str(kill.nth)}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.chaos.victim",
            "run",
            env=environment,
            cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )


async def _ends(process: asyncio.subprocess.Process, seconds: float) -> bool:
    """Wait for the end of the process, at most so long, and return whether it came by itself."""
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        return False
    return True


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill it unless it has ended. asyncio's own way may take its exit code away from who waits for it."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
