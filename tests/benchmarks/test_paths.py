"""What typical jobs call is counted, and is the same each time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.jobs import JOBS, count_job
from benchmarks.rooms import rooms

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="the harness reads /proc"),
]


def run_paths(tmp_path: Path, *args: str) -> list[list[str]]:
    """The rows of the table that is printed, without its head."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.paths", *args],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("|")]
    return rows[2:]


def test_a_question_enters_the_layers_below_the_bot() -> None:
    counted = count_job(JOBS["a question and its answer"])
    assert {"bot", "services", "db"} < counted.layers.keys()
    assert "testing" not in counted.layers
    assert counted.across < counted.begun < counted.calls
    assert counted.functions["Database.write"] >= 1


def test_a_question_needs_three_ways_to_the_database() -> None:
    """It is stored and claimed, and its context is read; its answer is stored and claimed; the sending is recorded."""
    counted = count_job(JOBS["a question and its answer"])
    assert counted.functions["_together.<locals>.transaction"] == 3
    assert "Database.read" not in counted.functions


def test_each_path_has_a_row(tmp_path: Path) -> None:
    rows = run_paths(tmp_path, "--runs", "1")
    assert len(rows) == 4
    assert all(int(row[1]) > 0 for row in rows)


def test_each_command_has_a_row(tmp_path: Path) -> None:
    rows = {row[0]: row[1:] for row in run_paths(tmp_path, "--shell", "--rounds", "1")}
    assert int(rows["tgllm --help"][0]) < int(rows["tgllm models sync"][0])


def test_modules_and_lines_belong_to_the_folder_that_holds_them(tmp_path: Path) -> None:
    for name, text in {"house/a.py": "1\n2\n", "house/room/b.py": "1\n", "house/room/c.py": ""}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert rooms(tmp_path / "house") == {"house": (1, 2), "house/room": (2, 1)}
