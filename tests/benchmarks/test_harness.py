"""The benchmarks run, and count what they say they count; how fast anything is, is no matter of tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="the harness reads /proc"),
]


def run_benchmarks(tmp_path: Path, *args: str) -> dict[str, dict[str, object]]:
    figures = tmp_path / "figures.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--json", str(figures), *args],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
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
