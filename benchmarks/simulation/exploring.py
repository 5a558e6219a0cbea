"""Exploration of many schedules: each seed without a crash, and with crashes at several of its steps."""

import json
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from benchmarks.simulation.schedule import Hang, Schedule
from benchmarks.simulation.stage import Stage

__all__ = ["explore", "later_crashes"]

SECONDS: Final = 60
"""Time limit of a schedule; it takes some hundredths of a second."""
_SECOND_CRASH: Final = 0.3
_MOST_BETWEEN: Final = 600
"""Most steps between two crashes."""
_MOST_BYTES: Final = 4000
"""Of a result; a pipe takes so many as a whole (POSIX: PIPE_BUF)."""


def explore(stage: Stage, seeds: Sequence[int], points: int, workers: int, faults: float) -> Iterator[dict[str, Any]]:
    """Yield the result of each schedule, as JSON.

    Each seed has a process of its own, since what crashes leave behind is kept until its end.

    Args:
        stage: an unused stage.
        seeds: of what people do, and of how long everything takes.
        points: crash points for each seed, spread over all steps.
        workers: number of processes at a time.
        faults: part of the calls of Telegram that fail.
    """
    reader, writer = os.pipe()
    workers = min(workers, len(seeds))
    children = [_fork(lambda n=n: _work(stage, seeds[n::workers], points, writer, faults)) for n in range(workers)]
    os.close(writer)
    with os.fdopen(reader) as lines:
        for line in lines:
            yield json.loads(line)
    for child in children:
        os.waitpid(child, 0)


def later_crashes(seed: int, first: int) -> list[int]:
    """Return the steps of the crashes that follow one."""
    dice = random.Random(f"{seed}/{first}")  # noqa: S311  reproducible
    return [first + dice.randint(1, _MOST_BETWEEN)] if dice.random() < _SECOND_CRASH else []


def _work(stage: Stage, seeds: Sequence[int], points: int, writer: int, faults: float) -> None:
    for seed in seeds:
        child = _fork(lambda seed=seed: _explore(stage, seed, points, writer, faults))
        _, status = os.waitpid(child, 0)
        if status:
            broken = f"the process of the seed ended with status {status}"
            _write(writer, {"seed": seed, "crashes": [], "broken": broken, "is_good": False})


def _explore(stage: Stage, seed: int, points: int, writer: int, faults: float) -> None:
    """Run the schedules of a seed."""
    signal.signal(signal.SIGALRM, _hang)
    kept = [_run(Schedule(stage, seed, faults=faults), (), writer)]
    steps = kept[0].steps
    for first in random.Random(seed).sample(range(1, steps), max(0, min(points, steps - 1))):  # noqa: S311  reproducible
        stage.reset()
        kept.append(_run(Schedule(stage, seed, faults=faults), (first, *later_crashes(seed, first)), writer))


def _run(schedule: Schedule, crashes: Sequence[int], writer: int) -> Schedule:
    schedule.crash_at(crashes)
    signal.alarm(SECONDS)
    result = schedule.run()
    signal.alarm(0)
    _write(writer, result.as_json())
    return schedule


def _hang(*_: object) -> None:
    raise Hang


def _fork(run: Callable[[], object]) -> int:
    child = os.fork()
    if not child:
        code = 1
        try:
            run()
            code = 0
        except BaseException:  # noqa: BLE001  the process must not go on as its parent
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    return child


def _write(writer: int, result: dict[str, Any]) -> None:
    line = json.dumps(result)
    if len(line) >= _MOST_BYTES:
        line = json.dumps({**result, "verdict": None, "broken": str(result["verdict"])[: _MOST_BYTES // 2]})
    os.write(writer, f"{line}\n".encode())
