"""Modules and processor time of short shell commands, compared with importing their libraries."""

import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.jobs import fill
from benchmarks.startup import run_once, shell_environment

__all__ = ["SHELL_COMMANDS", "ShellCost", "measure_shell"]

SHELL_COMMANDS: Final = (
    "models sync",
    "users list",
    "usage",
    "audit",
    "groups list",
    "plugins list",
    "models list",
    "--help",
)
BASE: Final = ("-c", "import typer, rich")

_COUNT_MODULES: Final = """
import sys
from tgllm.cli.main import main
code = main(sys.argv[1:])
print(sum(name.split(".")[0] == "tgllm" for name in sys.modules), file=sys.stderr)
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class ShellCost:
    """Costs of a command."""

    modules: int
    """Number of tgllm's modules that are loaded at the end."""
    cpu_ms: float
    base_ms: float
    """Processor time of ``import typer, rich``, measured alternately."""

    @property
    def ratio(self) -> float:
        """Processor time of the command, relative to that of the libraries."""
        return self.cpu_ms / self.base_ms


def measure_shell(rounds: int) -> dict[str, ShellCost]:
    """Run each command ``rounds`` times in new processes, alternating with imports of the libraries; return medians."""
    times: dict[str, list[tuple[float, float]]] = {command: [] for command in SHELL_COMMANDS}
    with tempfile.TemporaryDirectory(prefix="tgllm-benchmark-") as folder:
        fill(Path(folder))
        # These runs also write the bytecode files.
        modules = {command: _modules(command, folder) for command in SHELL_COMMANDS}
        for _ in range(rounds):
            for command, found in times.items():
                base = run_once(BASE, folder).cpu_ms
                found.append((run_once(("-m", "tgllm", *command.split()), folder).cpu_ms, base))
    return {
        command: ShellCost(modules[command], *(statistics.median(column) for column in zip(*found, strict=True)))
        for command, found in times.items()
    }


def _modules(command: str, folder: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _COUNT_MODULES, *command.split()],
        env=shell_environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stderr.splitlines()[-1])
