"""``python -m benchmarks.reading``: cost of reading files, and the latency of other chats meanwhile.

Each file is read twice by a fresh pool of the bot: the first time includes the start of the process and the import of
the library. Then somebody chats with a bot while it is idle, and while it reads all files again and again in its two
processes. Reads /proc, so it works only on Linux.
"""

import argparse
import asyncio
import logging
import os
import platform
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path

from benchmarks.reading.samples import SAMPLES
from benchmarks.report import table
from tgllm.api import ExtractionLimits
from tgllm.observe.logs import configure_logging
from tgllm.plugins import PluginHost
from tgllm.services.files.handlers import matching
from tgllm.services.files.types import true_type
from tgllm.services.reading.pool import ReaderPool
from tgllm.services.reading.values import PictureLimits
from tgllm.testing.bot import RunningBot, running_bot
from tgllm.testing.emulator import EmulatedUser, Emulator

__all__ = ["main"]

LIMITS = ExtractionLimits(max_chars=4_000_000, seconds=120.0, memory_bytes=2**30)
_PATIENCE_SECONDS = 60.0
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one file."""

    kib: int
    chars: int
    """0 for a picture."""
    first: float
    """Seconds, with the start of the process."""
    second: float
    cpu: float
    """Processor time of the second time, in seconds; does not depend on what else the machine does."""
    mib: float
    """Peak of the process's resident memory."""


async def read(pool: ReaderPool, host: PluginHost, path: Path) -> int:
    """Read a file or prepare a picture; return the number of characters."""
    kind = await asyncio.to_thread(true_type, path, None, path.name)
    if kind.mime.startswith("image/"):
        await pool.picture(path, path.with_suffix(".prepared"), PictureLimits(), path.name)
        return 0
    handler = matching(host.file_handlers, kind, path.name)[0]
    return len((await pool.read(handler, path, LIMITS, path.name)).text)


async def cost(bot: RunningBot, path: Path) -> Cost:
    """Read a file twice in a pool of its own."""

    async def ignore(_missing: object) -> None:
        pass

    pool = ReaderPool(bot.core.clock, bot.core.host.quarantine, ignore)
    async with aclosing(pool):
        began = time.monotonic()
        chars = await read(pool, bot.core.host, path)
        first, began = time.monotonic() - began, time.monotonic()
        before = {pid: _cpu_seconds(pid) for pid in pool.pids}
        await read(pool, bot.core.host, path)
        second = time.monotonic() - began
        (pid,) = pool.pids
        cpu, mib = _cpu_seconds(pid) - before.get(pid, 0.0), _peak_mib(pid)
    size = (await asyncio.to_thread(path.stat)).st_size
    return Cost(size // 1024, chars, first, second, cpu, mib)


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))


def _cpu_seconds(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


async def chat(
    emu: Emulator, person: EmulatedUser, turns: int, what: str, done: Callable[[], bool] = lambda: True
) -> list[float]:
    """Return how long each answer took, in milliseconds; there are at least ``turns``, and more until ``done``."""
    took: list[float] = []
    texts = person.private_chat()
    for number in count(1):
        question = f"{what} {number}."
        began = time.monotonic()
        await person.say(question)
        await emu.wait_for(lambda question=question: question in texts.bot_texts, timeout=_PATIENCE_SECONDS)
        took.append(1000 * (time.monotonic() - began))
        if number >= turns and done():
            break
    return took


@asynccontextmanager
async def reading(bot: RunningBot, paths: list[Path]) -> AsyncGenerator[list[Path]]:
    """Read files without a pause within the block, two at a time; the list has an item for each that was read."""
    done: list[Path] = []

    async def again_and_again(mine: list[Path]) -> None:
        for path in cycle(mine):
            await read(bot.core.reader, bot.core.host, path)
            done.append(path)

    tasks = [asyncio.create_task(again_and_again(paths[start:] + paths[:start])) for start in (0, len(paths) // 2)]
    try:
        yield done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def measure(turns: int, folder: Path) -> None:
    """Make the files, read them, chat meanwhile, and print the results."""
    paths: list[Path] = []
    async with Emulator() as emu:
        person = emu.add_user(first_name="Ann", language_code="en")
        data = folder / "data"
        data.mkdir()
        async with running_bot(emu, data, admins=[person.id]) as bot:
            rows: list[list[str]] = []
            for what, (name, make) in SAMPLES.items():
                paths.append(folder / name)
                await asyncio.to_thread(make, paths[-1])
                one = await cost(bot, paths[-1])
                row = [f"{one.first:.2f}", f"{one.second:.2f}", f"{one.cpu:.2f}", f"{one.mib:.0f}"]
                rows.append([what, f"{one.kib:,}", f"{one.chars:,}", *row])
            print(
                table(["file", "KiB", "characters", "first s", "second s", "its CPU s", "peak MiB"], rows), end="\n\n"
            )
            await chat(emu, person, 20, "Warm up")
            print(
                table(["other chats", "p50 ms", "p95 ms", "files read"], await _waits(emu, person, bot, paths, turns))
            )


async def _waits(
    emu: Emulator, person: EmulatedUser, bot: RunningBot, paths: list[Path], turns: int
) -> list[list[str]]:
    """Chat in turn with an idle bot and with one that reads, since the load of the machine varies."""
    idle: list[float] = []
    busy: list[float] = []
    files = 0
    for number in range(_ROUNDS):
        idle += await chat(emu, person, turns, f"Idle {number},")
        async with reading(bot, paths) as done:
            busy += await chat(emu, person, turns, f"Busy {number},", lambda done=done: len(done) >= len(paths))
        files += len(done)
    return [_row("idle", idle, 0), _row("while it reads", busy, files)]


def _row(what: str, took: list[float], files: int) -> list[str]:
    p95 = statistics.quantiles(took, n=20)[-1]
    return [what, f"{statistics.median(took):.0f}", f"{p95:.0f}", str(files)]


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--turns", type=int, default=50, help="questions in each round, at least")
    arguments = parser.parse_args(argv)
    configure_logging("console", "error")
    logging.getLogger().setLevel(logging.ERROR)
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} processors\n")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(arguments.turns, Path(folder)))


if __name__ == "__main__":
    main()
