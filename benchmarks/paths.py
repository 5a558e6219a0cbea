"""``python -m benchmarks.paths``: the calls and modules of typical jobs of tgllm.

Each job runs once to warm up, and then again with counting, in a new bot with the built-in echo provider, on the
emulator in the same process. Counting starts with the question or the button press and ends when no more calls come.
The bot's intervals are longer than that, so that no background work is counted. The order in which database threads
and event loop wake each other can cost a few more calls: of several runs, the one with the fewest calls is shown.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

from benchmarks.call_counter import Calls
from benchmarks.jobs import JOBS, count_job
from benchmarks.process import ROOT
from benchmarks.report import table
from benchmarks.rooms import rooms
from benchmarks.shell_cost import measure_shell
from benchmarks.startup import run_once, shell_environment

__all__ = ["main"]

# Without installed plugins, which would add their own calls.
SYNC = ("--no-plugins", "models", "sync")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmarks and print the results."""
    arguments = _arguments(argv)
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} processors\n")
    if arguments.rooms:
        print(_room_table())
    elif arguments.shell:
        print(_shell_table(arguments.rounds))
    else:
        _print_paths(arguments.runs)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paths", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often each job is counted")
    parser.add_argument("--rooms", action="store_true", help="count modules and lines of each folder instead")
    parser.add_argument("--shell", action="store_true", help="measure commands of the shell instead")
    parser.add_argument("--rounds", type=int, default=11, help="how often each of these commands is run")
    return parser.parse_args(argv)


def _print_paths(runs: int) -> None:
    counts: dict[str, list[Calls]] = {}
    for name, job in JOBS.items():
        counts[name] = [count_job(job) for _ in range(runs)]
    syncs = [_count_sync() for _ in range(runs)]
    counts["tgllm models sync, a fresh process"] = [fresh for fresh, _ in syncs]
    counts["tgllm models sync, once more in it"] = [again for _, again in syncs]
    fewest = {name: min(found, key=lambda calls: calls.calls) for name, found in counts.items()}
    print(_path_table(fewest), end="\n\n")
    for name, calls in fewest.items():
        layers = ", ".join(f"{layer} {count}" for layer, count in calls.layers.items())
        every = ", ".join(f"{one.calls:,}" for one in counts[name])
        print(f"{name}: modules of {layers}; calls of each run {every}")


def _path_table(counts: Mapping[str, Calls]) -> str:
    head = ["path", "modules entered", "calls", "of them resumed", "of them from another module", "units of work"]
    return table(head, [_path_row(name, calls) for name, calls in counts.items()])


def _path_row(name: str, calls: Calls) -> list[str]:
    units = " + ".join(str(calls.functions.get(f"Database.{kind}", 0)) for kind in ("write", "read"))
    numbers = (calls.calls, calls.calls - calls.begun, calls.across)
    return [name, str(len(calls.modules)), *(f"{number:,}" for number in numbers), units]


def _count_sync() -> tuple[Calls, Calls]:
    """Return the calls of a fresh process, and those of a second run in the same process."""
    with tempfile.TemporaryDirectory(prefix="tgllm-benchmark-") as folder:
        # The first run creates the database and stores the models.
        run_once(("-m", "tgllm", *SYNC), folder)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.command_calls", *SYNC],
            env=shell_environment(folder) | {"PYTHONPATH": str(ROOT)},
            cwd=folder,
            stdout=subprocess.PIPE,
            check=True,
        )
    fresh, again = (Calls(**json.loads(line)) for line in done.stdout.splitlines())
    return fresh, again


def _room_table() -> str:
    rows = [[folder, str(modules), f"{lines:,}"] for folder, (modules, lines) in rooms().items()]
    return table(["folder", "modules", "lines"], rows)


def _shell_table(rounds: int) -> str:
    head = ["command", "modules of tgllm", "CPU ms", "import typer, rich", "ratio"]
    rows = [
        [f"tgllm {name}", str(cost.modules), f"{cost.cpu_ms:.0f}", f"{cost.base_ms:.0f}", f"{cost.ratio:.2f}"]
        for name, cost in measure_shell(rounds).items()
    ]
    return table(head, rows)


if __name__ == "__main__":
    main()
