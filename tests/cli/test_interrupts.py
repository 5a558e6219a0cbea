"""Ctrl-C while the program loads leaves no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

LOADING = """
import os, signal, sys

signal.signal(signal.SIGINT, signal.{handler})


class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)


sys.meta_path.insert(0, Interrupting())
sys.argv = ["tgllm", {command!r}]
from tgllm.__main__ import run

run()
"""


def interrupted(folder: Path, module: str, command: str, handler: str = "default_int_handler") -> tuple[int, str]:
    """Press Ctrl-C when the program imports a module; the exit code and what it says."""
    program = LOADING.format(module=module, command=command, handler=handler)
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={
            "TGLLM_BOT_TOKEN": f"123456:{'A' * 35}",
            "TGLLM_DATA_DIR": str(folder),
            "HOME": str(folder),
            "PATH": "/bin",
        },
        cwd=folder,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("tgllm.cli.main", "run"),
        ("typer", "run"),
        ("tgllm.cli.commands.run", "run"),
        ("tgllm.config.load", "run"),
        ("tgllm.program", "run"),
        ("tgllm.cli.main", "users"),
        ("typer", "doctor"),
        ("tgllm.cli.commands.init.app", "init"),
    ],
)
def test_it_ends_at_once_and_in_silence(tmp_path: Path, module: str, command: str) -> None:
    assert interrupted(tmp_path, module, command) == (130, "")


def test_where_interrupts_are_ignored_they_stay_so(tmp_path: Path) -> None:
    code, said = interrupted(tmp_path, "typer", "config", "SIG_IGN")
    assert code in {0, 2}
    assert "Traceback" not in said
