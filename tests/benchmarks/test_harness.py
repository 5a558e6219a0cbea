"""The benchmarks run, and count what they say they count; how fast anything is, is no matter of tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.process import start

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="the harness reads /proc"),
]


def run(tmp_path: Path, module: str, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *args],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_benchmarks(tmp_path: Path, *args: str) -> dict[str, dict[str, object]]:
    figures = tmp_path / "figures.json"
    run(tmp_path, "benchmarks", "--json", str(figures), *args)
    return json.loads(figures.read_text())


def test_a_few_turns_with_the_bare_bot_and_tgllm(tmp_path: Path) -> None:
    bots = ("floor", "tgllm", "tgllm, same client")
    args = ("--bots", *bots, "--rounds", "1", "--turns", "6", "--warm-up", "2", "--parallel", "2")
    turns = run_benchmarks(tmp_path, *args, "--starts", "0")["turns"]
    assert turns.keys() == set(bots)
    for bot, rounds in turns.items():
        assert isinstance(rounds, list), bot
        (figures,) = rounds
        assert 1 <= figures["calls"] <= 3, bot
        assert figures["turns_per_second"] > 0, bot
        assert figures["peak_mib"] > 0, bot


def test_the_cost_of_starting(tmp_path: Path) -> None:
    starts = run_benchmarks(tmp_path, "--rounds", "0", "--starts", "1")["starts"]
    assert {"tgllm --help", "import typer, rich", "import aiogram"} <= starts.keys()
    for name, figures in starts.items():
        assert isinstance(figures, dict), name
        assert figures["cpu_ms"] > 0, name


def test_messages_come_faster_than_answers(tmp_path: Path) -> None:
    """The person still waits for an answer when the next message is due."""
    bot = "tgllm, synchronous OFF"
    args = ("--bots", bot, "--people", "1", "--rate", "500", "--turns", "6", "--rounds", "1")
    table = run(tmp_path, "benchmarks.load.steady", *args)
    assert table.splitlines()[-1].startswith(f"| {bot} |")


def test_what_a_bot_prints_goes_to_the_log(tmp_path: Path) -> None:
    """A pipe that is not read would stop the bot when it is full."""
    log = tmp_path / "log"
    with start("benchmarks.load.unsynced", "--help", log=log) as program:
        program.wait()
    assert "Usage" in log.read_text()
