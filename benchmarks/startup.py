"""Processor time and memory of short commands, next to those of their libraries."""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.process import keep_bytecode

__all__ = ["COMMANDS", "Start", "measure_starts", "run_once", "shell_environment"]

COMMANDS: Mapping[str, Sequence[str]] = {
    "python": ("-c", "pass"),
    "import typer, rich": ("-c", "import typer, rich"),
    "tgllm --help": ("-m", "tgllm", "--help"),
    "tgllm models list": ("-m", "tgllm", "models", "list"),
    "tgllm plugins list": ("-m", "tgllm", "plugins", "list"),
    "import aiogram": ("-c", "import aiogram"),
    "import tgllm.bot": ("-c", "import tgllm.bot"),
}


@dataclass(frozen=True, slots=True)
class Start:
    """Costs of a command."""

    cpu_ms: float
    peak_mib: float


def measure_starts(rounds: int) -> dict[str, Start]:
    """Run each command ``rounds`` times, alternately, after a first round that is not counted; return medians."""
    keep_bytecode()
    found: dict[str, list[Start]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory(prefix="tgllm-benchmark-") as folder:
        # The first run creates the database and stores the models.
        run_once(("-m", "tgllm", "models", "sync"), folder)
        for number in range(rounds + 1):
            for name, args in COMMANDS.items():
                once = run_once(args, folder)
                if number:
                    found[name].append(once)
    return {
        name: Start(statistics.median(one.cpu_ms for one in all_), statistics.median(one.peak_mib for one in all_))
        for name, all_ in found.items()
    }


def shell_environment(folder: str) -> dict[str, str]:
    """Return the environment of a command with its data in ``folder`` and no other settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TGLLM_")}
    return environment | {"TGLLM_DATA_DIR": folder, "TGLLM_CONFIG": ""}


def run_once(args: Sequence[str], folder: str) -> Start:
    """Run Python with these arguments, in ``folder``; return its costs.

    Raises:
        RuntimeError: it failed.
    """
    process = subprocess.Popen(
        [sys.executable, *args],
        env=shell_environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{args} ended with {process.returncode}")
    return Start(1000 * (used.ru_utime + used.ru_stime), used.ru_maxrss / 1024)
