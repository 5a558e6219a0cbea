"""A standard stream that takes nothing ends a command with a sentence, and costs nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="a device that is always full is a part of Linux")


def tgllm(*args: str, out: bool = False, err: bool = False, unbuffered: bool = False) -> tuple[int, str, str]:
    """Run a command with full streams, and return its exit code and what the others took."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with FULL.open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tgllm", *args],
            stdin=subprocess.DEVNULL,
            stdout=full if out else subprocess.PIPE,
            stderr=full if err else subprocess.PIPE,
            env=env | ({"PYTHONUNBUFFERED": "1"} if unbuffered else {}),
            check=False,
            timeout=120,
        )
    return done.returncode, (done.stdout or b"").decode(), (done.stderr or b"").decode()


@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.parametrize("args", [["--version"], ["config", "show"], ["config", "show", "--json"], ["chat", "hi"]])
def test_output_that_is_full_is_a_sentence(args: list[str], tmp_path: Path, *, unbuffered: bool) -> None:
    code, _, err = tgllm("--data-dir", str(tmp_path), *args, out=True, unbuffered=unbuffered)

    assert code == 1
    assert err.splitlines()[-1] == "tgllm: the output can't be written: No space left on device"
    assert "unexpected" not in err
    assert "Exception ignored" not in err


def test_notes_that_can_t_be_written_cost_no_answer(tmp_path: Path) -> None:
    code, out, _ = tgllm("--data-dir", str(tmp_path), "chat", "hi there", err=True)

    assert (code, out) == (0, "hi there\n")


def test_a_failure_that_can_t_be_written_keeps_its_code() -> None:
    assert tgllm("config", "show", "--config", "/no/such/file", err=True) == (2, "", "")
    assert tgllm("--version", out=True, err=True) == (1, "", "")
