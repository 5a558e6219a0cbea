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

__all__ = ["explore", "later_crash"]

SECONDS: Final = 60
"""Time limit of a schedule; it takes some hundredths of a second."""
_ANOTHER_CRASH: Final = 0.7
"""Part of the crashes that are followed by another."""
_MOST_CRASHES: Final = 4
"""Of a schedule. With more, all during the same question that runs alone, it may be the cause of them."""
_MOST_BETWEEN: Final = 300
"""Most steps between two crashes."""
_MOST_BYTES: Final = 4000
"""Of a result; a pipe takes so many as a whole (POSIX: PIPE_BUF)."""


def explore(stage: Stage, seeds: Sequence[int], points: int, workers: int, faults: float) -> Iterator[dict[str, Any]]:
    """Yield the result of each schedule, as JSON.

    Each seed has a process of its own, since what crashes leave behind is kept until its end.

    Args:
        stage: an unused stage.
        seeds: of what people do, and of how long everything takes.
        points: crash points for each seed, spread over all steps after which a crash leaves something else.
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


def later_crash(seed: int, crashes: Sequence[int]) -> int | None:
    """Return the step of the crash that follows others, if any."""
    if len(crashes) >= _MOST_CRASHES:
        return None
    dice = random.Random(f"{seed}/{crashes}")  # noqa: S311  reproducible
    return crashes[-1] + dice.randint(1, _MOST_BETWEEN) if dice.random() < _ANOTHER_CRASH else None


def _work(stage: Stage, seeds: Sequence[int], points: int, writer: int, faults: float) -> None:
    stage.separate()
    Schedule.begin(stage, 0).run()
    for seed in seeds:
        child = _fork(lambda seed=seed: _explore(stage, seed, points, writer, faults))
        _, status = os.waitpid(child, 0)
        if status:
            broken = f"the process of the seed ended with status {status}"
            _write(writer, {"seed": seed, "crashes": [], "broken": broken, "is_good": False})


def _explore(stage: Stage, seed: int, points: int, writer: int, faults: float) -> None:
    """Run the schedules of a seed.

    What is before a crash is run once for all of them: each continues with what the crash leaves.
    """
    signal.signal(signal.SIGALRM, _hang)
    whole = Schedule.begin(stage, seed, faults=faults)
    moments = whole.keep()
    _run(whole, writer)
    if points < len(moments):
        moments = random.Random(seed).sample(moments, points)  # noqa: S311  reproducible
    while moments:
        schedule = Schedule.crashed(stage, moments.pop())
        later = later_crash(seed, schedule.crashes)
        again = schedule.keep(() if later is None else (later,))
        _run(schedule, writer)
        moments += again


def _run(schedule: Schedule, writer: int) -> None:
    signal.alarm(SECONDS)
    result = schedule.run()
    signal.alarm(0)
    _write(writer, result.as_json())


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
