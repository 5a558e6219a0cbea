"""``tgllm`` as a process of its own."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

PATIENCE = 100.0
"""Seconds to wait for what a program that has just been started does; its imports take long on a busy machine."""


@dataclass(slots=True)
class Program:
    """A running ``tgllm``."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.process.pid

    async def printed(self, word: str, times: int = 1) -> None:
        """Wait until so many lines with that word were printed."""
        assert self.process.stdout is not None
        while sum(word in line for line in self.lines) < times:
            line = await self.process.stdout.readline()
            assert line, f"it ended without printing {word!r}: {self.lines}"
            self.lines.append(line.decode())

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def end(self) -> tuple[int, str]:
        """Wait for its end: the exit code, and all that it printed."""
        printed, _ = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, "".join(self.lines) + printed.decode()


Launch = Callable[..., Awaitable[Program]]
"""Starts ``tgllm`` with these arguments, and environment variables as keywords."""
