"""Crashes at any step of the event loop, on a virtual clock: nothing is lost, repeated or out of order.

A failure names the command that runs its schedule again.
"""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.once,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="a process is forked for each seed"),
]

SABOTAGED = """
import sys
from benchmarks.simulation.__main__ import main
from benchmarks.simulation.stage import Stage

drop_memory = Stage.drop_memory

def worse(self):
    drop_memory(self)
    self.connection.execute({sql!r})

Stage.drop_memory = worse
sys.exit(main(["--seeds", "6", "--points", "30", *sys.argv[1:]]))
"""


def simulate(tmp_path: Path, *args: str, script: str = "") -> tuple[int, str, dict[str, object]]:
    figures = tmp_path / "figures.json"
    call = ["-c", script] if script else ["-m", "benchmarks.simulation"]
    done = subprocess.run(
        [sys.executable, *call, *args, "--json", str(figures)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert figures.exists() or "--seed" in args, done.stderr
    return done.returncode, done.stdout, json.loads(figures.read_text()) if figures.exists() else {}


def test_hundreds_of_schedules(tmp_path: Path) -> None:
    code, printed, figures = simulate(tmp_path, "--seeds", "4", "--points", "30")
    assert code == 0, printed
    totals = figures["totals"]
    assert isinstance(totals, dict)
    assert totals["schedules"] > 4 * 31, printed
    assert totals["crashes"] > totals["schedules"], "none has several"
    assert totals["faults"], "no call of Telegram has failed"


def test_a_seed_that_was_never_tried(tmp_path: Path) -> None:
    first = secrets.randbelow(2**31)
    code, printed, _ = simulate(tmp_path, "--first", str(first), "--seeds", "1", "--points", "30")
    assert code == 0, f"first seed {first}: {printed}"


def test_a_schedule_runs_again_in_the_same_way(tmp_path: Path) -> None:
    runs = [simulate(tmp_path, "--seed", "5", "--crash", "120,300")[:2] for _ in range(2)]
    assert runs[0] == runs[1]
    assert json.loads(runs[0][1].partition("\n\n")[0])["crashes"] == [120, 300]


def test_what_continues_after_a_crash_is_what_a_whole_run_does(tmp_path: Path) -> None:
    """Schedules share what is before their crashes; a replay runs all of it."""
    results = tmp_path / "results.json"
    simulate(tmp_path, "--first", "3", "--seeds", "1", "--points", "4", "--all", str(results))
    explored = [json.loads(line) for line in results.read_text().splitlines()]
    assert max(len(each["crashes"]) for each in explored) > 1
    for each in sorted(explored, key=lambda each: len(each["crashes"]))[-2:]:
        crashes = ",".join(map(str, each["crashes"]))
        _, printed, _ = simulate(tmp_path, "--seed", "3", "--crash", crashes)
        assert json.loads(printed.partition("\n\n")[0]) == each


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE outbox SET state = 'ready' WHERE state = 'sending'", "repeated"),
        ("UPDATE inbox SET state = 'done', finished_at = 1 WHERE state IN ('queued', 'running')", "lost"),
    ],
)
def test_a_bot_that_recovers_wrongly_is_found(tmp_path: Path, sql: str, found: str) -> None:
    code, printed, figures = simulate(tmp_path, script=SABOTAGED.format(sql=sql))
    assert code == 1, printed
    totals = figures["totals"]
    assert isinstance(totals, dict)
    assert totals[found], printed
    assert "python -m benchmarks.simulation --seed" in printed
