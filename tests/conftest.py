"""An emulated Telegram, and the real program on it as a process of its own."""

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tgllm.providers.network import VARIABLE
from tgllm.testing.emulator import Emulator


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


@pytest.fixture
async def emu() -> AsyncIterator[Emulator]:
    async with Emulator() as emulator:
        yield emulator


@pytest.fixture
def install_plugin(tmp_path: Path) -> Callable[[str, str], str]:
    """Makes a plugin of that id and source; returns a folder for PYTHONPATH in which it is installed."""

    def install(plugin_id: str, source: str) -> str:
        folder, name = tmp_path / "site", f"tgllm_{plugin_id}"
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[tgllm]\n{plugin_id} = {name}\n", encoding="utf-8")
        (folder / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        return str(folder)

    return install


@pytest.fixture
async def launch(emu: Emulator, tmp_path: Path) -> AsyncIterator[Launch]:
    """Launches ``tgllm`` with a data folder of the test's own; what still runs at the end is killed."""
    programs: list[Program] = []

    async def start(*args: str, **variables: str) -> Program:
        environment = {
            **{name: value for name, value in os.environ.items() if name == VARIABLE or not name.startswith("TGLLM_")},
            "TGLLM_BOT_TOKEN": emu.token,
            "TGLLM_TELEGRAM_API": emu.base_url,
            "TGLLM_DATA_DIR": str(tmp_path / "data"),
            "TGLLM_CONFIG": "",
            "TGLLM_SENDING__PACED": "false",
            "TGLLM_STREAMING__FIRST_DELAY": "0.01",
            "TGLLM_STREAMING__DRAFT_INTERVAL": "0.05",
            **variables,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tgllm",
            *args,
            cwd=tmp_path,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        programs.append(Program(process))
        return programs[-1]

    yield start
    for program in programs:
        if program.process.returncode is None:
            program.process.kill()
            await program.process.communicate()
