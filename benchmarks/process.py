"""Processes of the benchmarks, and their costs. Reads /proc, so it works only on Linux."""

import compileall
import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["PYTHON_PATH", "TICK", "Program", "keep_bytecode", "start"]

ROOT = Path(__file__).resolve().parent.parent
PYTHON_PATH = os.pathsep.join(str(ROOT / folder) for folder in ("", "src", "benchmarks/plugin"))

TICK = 1000 / os.sysconf("SC_CLK_TCK")
_STOP_SECONDS = 20
_ANSWERING = frozenset({"benchmarks.model_server", "benchmarks.telegram"})
"""Programs that write lines of JSON to standard output."""
_LOG_END = 4000
"""Characters of the log in an error."""


class Program:
    """A started process, which may use lines of JSON on its standard streams."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        """Wrap a process; ``log`` is the file of its standard error."""
        self._process = process
        self._log = log

    def send(self, line: str) -> None:
        """Write a line to standard input."""
        assert self._process.stdin is not None  # noqa: S101  it was opened as a pipe
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def receive(self) -> Any:  # noqa: ANN401  JSON
        """Return the next line of standard output, parsed.

        Raises:
            RuntimeError: the process has ended.
        """
        assert self._process.stdout is not None  # noqa: S101  it was opened as a pipe
        line = self._process.stdout.readline()
        if not line:
            # The folder of the file is deleted soon.
            said = self._log.read_text(errors="replace")[-_LOG_END:]
            raise RuntimeError(f"{self._process.args} has ended; the end of the log:\n{said}")
        return json.loads(line)

    def wait(self) -> None:
        """Wait for the end of the process."""
        self._process.wait(_STOP_SECONDS)

    def cpu_ms(self) -> float:
        """Return the processor time of all threads so far, user and system, in milliseconds."""
        after_name = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) * TICK

    def peak_mib(self) -> float:
        """Return the peak of resident memory so far, in MiB."""
        return self._memory_mib("VmHWM:")

    def resident_mib(self) -> float:
        """Return the resident memory, in MiB."""
        return self._memory_mib("VmRSS:")

    def _memory_mib(self, name: str) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        line = next(line for line in status if line.startswith(name))
        return int(line.split()[1]) / 1024


@cache
def keep_bytecode() -> None:
    """Compile the sources of tgllm, as an installation does: each start would, where Python may keep no bytecode."""
    for folder in ("src", "benchmarks", "plugins"):
        compileall.compile_dir(ROOT / folder, quiet=2)


@contextmanager
def start(module: str, *args: str, log: Path, variables: Mapping[str, str] | None = None) -> Generator[Program]:
    """Run ``python -m module`` until the end of the block; its standard error is appended to the file ``log``."""
    keep_bytecode()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TGLLM_")}
    environment |= {"PYTHONPATH": PYTHON_PATH, **(variables or {})}
    with (
        log.open("a") as errors,
        subprocess.Popen(
            [sys.executable, "-m", module, *args],
            env=environment,
            cwd=log.parent,
            stdin=subprocess.PIPE,
            # A bot writes its log, which would fill the pipe.
            stdout=subprocess.PIPE if module in _ANSWERING else errors,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield Program(process, log)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
