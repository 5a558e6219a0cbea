"""``python -m benchmarks.load.readiness``: from the start of a bot to its first getUpdates, and its idle memory."""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.process import start
from benchmarks.report import table
from benchmarks.turns import BOTS, variables_of

__all__ = ["main"]

_IDLE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class _Start:
    """Costs of a start."""

    seconds: float
    cpu_ms: float
    """Processor time until the first getUpdates was noticed."""
    idle_mib: float
    """Resident memory a few seconds later."""


def main(argv: list[str] | None = None) -> None:
    """Measure and print the results; the first start of each bot is not counted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.readiness", description=__doc__)
    parser.add_argument("--bots", nargs="+", default=["floor", "tgllm"], choices=list(BOTS))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args(argv)
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} processors\n")
    with TemporaryDirectory(prefix="tgllm-benchmark-") as folder:
        found: dict[str, list[_Start]] = {bot: [] for bot in arguments.bots}
        for number in range(arguments.rounds + 1):
            for bot, starts in found.items():
                once = _start(bot, Path(folder))
                if number:
                    starts.append(once)
    medians = {
        bot: [statistics.median(row) for row in zip(*map(astuple, all_), strict=True)] for bot, all_ in found.items()
    }
    first = next(iter(medians.values()))
    rows = [[bot, *_beside(row, first)] for bot, row in medians.items()]
    print(table(["bot", "start ms", "ratio", "CPU ms", "ratio", "idle MiB", "ratio"], rows))


def _beside(row: Sequence[float], first: Sequence[float]) -> Iterator[str]:
    for value, base, scale in zip(row, first, (1000, 1, 1), strict=True):
        yield from (f"{scale * value:.0f}", f"{value / base:.2f}")


def _start(bot: str, folder: Path) -> _Start:
    log = folder / "log"
    with start("benchmarks.telegram", "--people", "1", "--parallel", "1", log=log) as telegram:
        variables = variables_of(bot, telegram.receive(), "http://127.0.0.1:9", str(folder), 1)
        telegram.send(json.dumps({"first_poll": True}))
        module, *args = BOTS[bot]
        began = time.perf_counter()
        with start(module, *args, log=log, variables=variables) as program:
            telegram.receive()
            seconds, cpu_ms = time.perf_counter() - began, program.cpu_ms()
            time.sleep(_IDLE_SECONDS)
            return _Start(seconds, cpu_ms, program.resident_mib())


if __name__ == "__main__":
    main()
