"""``python -m benchmarks.simulation``: thousands of schedules with crashes, each judged.

Each seed is what some people do within a few seconds, and how long everything takes. The real bot runs with it on a
virtual clock, with Telegram and a model in memory, and crashes: once or several times, at steps of the event loop. A
schedule that fails is printed with its seed and steps, and runs again with:

    python -m benchmarks.simulation --seed SEED --crash STEP[,STEP]...
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.report import table
from benchmarks.simulation.exploring import explore
from benchmarks.simulation.schedule import Schedule
from benchmarks.simulation.stage import Stage, open_stage
from tgllm.observe.logs import configure_logging

__all__ = ["main"]

_SHOWN = 10
"""Most failures that are printed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run schedules and print the results; return 1 if one has failed."""
    arguments = _arguments(argv)
    configure_logging("console", "info" if arguments.verbose else "critical")
    with TemporaryDirectory(prefix="tgllm-simulation-", dir=_in_memory()) as folder:
        loop = asyncio.new_event_loop()
        # Closed by the end of the process: the schedules leave the core as no orderly end does.
        stage = loop.run_until_complete(open_stage(Path(folder), AsyncExitStack(), paced=not arguments.unpaced))
        _warm_up(stage)
        if arguments.seed is not None:
            schedule = Schedule.begin(stage, arguments.seed, faults=arguments.faults)
            return _replay(schedule, stage, [int(step) for step in arguments.crash.split(",") if step])
        return _explore(stage, arguments)


def _in_memory() -> str | None:
    """Return a folder whose files are in memory, if there is one."""
    folder = Path("/dev/shm")  # noqa: S108  only a parent of the temporary folder
    return str(folder) if os.access(folder, os.W_OK) else None


def _warm_up(stage: Stage) -> None:
    """Have everything imported and cached that a schedule needs, and done what only the first start does."""
    Schedule.begin(stage, 0, faults=0.0, questions=0).run()
    stage.keep()
    for seed in range(3):
        Schedule.begin(stage, seed).run()


def _replay(schedule: Schedule, stage: Stage, crashes: Sequence[int]) -> int:
    schedule.crash_at(crashes)
    result = schedule.run()
    print(json.dumps(result.as_json(), indent=2))
    for chat in stage.chats:
        print(f"\n{stage.emulator.transcript(chat)}")
    return 0 if result.is_good else 1


def _explore(stage: Stage, arguments: argparse.Namespace) -> int:
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    print(f"seeds {seeds.start} to {seeds.stop - 1}, {arguments.points} crash points each", flush=True)
    began = time.monotonic()
    totals: Counter[str] = Counter()
    failed: list[dict[str, Any]] = []
    for result in explore(stage, seeds, arguments.points, arguments.workers, arguments.faults):
        _count(totals, result)
        if arguments.all is not None:
            with arguments.all.open("a") as lines:
                lines.write(f"{json.dumps(result)}\n")
        if not result["is_good"]:
            failed.append(result)
    totals["milliseconds"] = round(1000 * (time.monotonic() - began))
    totals["failed"] = len(failed)
    print(_text(totals))
    for result in failed[:_SHOWN]:
        again = f"--seed {result['seed']} --faults {arguments.faults}"
        if result["crashes"]:
            again += f" --crash {','.join(map(str, result['crashes']))}"
        print(f"\npython -m benchmarks.simulation {again}\n{json.dumps(result)}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps({"totals": totals, "failed": failed}, indent=2))
    return 1 if failed or not totals["schedules"] else 0


def _count(totals: "Counter[str]", result: dict[str, Any]) -> None:
    totals["schedules"] += 1
    totals["crashes"] += len(result["crashes"])
    verdict = result.get("verdict")
    if isinstance(verdict, dict):
        for name in ("lost", "repeated", "marked", "disorder"):
            totals[name] += len(verdict[name])
        for name in ("asked", "given_up", "placeholders"):
            totals[name] += verdict[name]
        for name in ("questions", "model_calls", "faults", "steps", "violations"):
            totals[name] += result[name]


def _text(totals: "Counter[str]") -> str:
    seconds = totals["milliseconds"] / 1000
    rows = [
        ["schedules", f"{totals['schedules']} in {seconds:.1f} s: {60 * totals['schedules'] / seconds:.0f} a minute"],
        ["crashes", str(totals["crashes"])],
        ["failed", str(totals["failed"])],
        ["questions", str(totals["questions"])],
        ["faults of Telegram", str(totals["faults"])],
        ["lost", str(totals["lost"])],
        ["repeated without a mark", str(totals["repeated"])],
        ["repeated with a mark", str(totals["marked"])],
        ["out of order", str(totals["disorder"])],
        ["given up", str(totals["given_up"])],
        [
            "asked whether an answer has arrived",
            f"{totals['asked']} ({totals['asked'] / max(1, totals['crashes']):.3f} per crash)",
        ],
        ["calls above Telegram's rates", str(totals["violations"])],
        ["placeholders left behind", str(totals["placeholders"])],
        ["model calls per question", f"{totals['model_calls'] / max(1, totals['questions']):.2f}"],
    ]
    return table(["figure", "value"], rows)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation", description=__doc__)
    parser.add_argument("--first", type=int, default=1, help="first seed")
    parser.add_argument("--seeds", type=int, default=50, help="number of seeds")
    parser.add_argument("--points", type=int, default=1000, help="most crash points for each seed; it has about 100")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--faults", type=float, default=0.05, help="part of the calls of Telegram that fail")
    parser.add_argument("--unpaced", action="store_true", help="without Telegram's rates")
    parser.add_argument("--seed", type=int, help="run one schedule and show the chats")
    parser.add_argument("--crash", default="", help="steps before which it crashes, with commas")
    parser.add_argument("--verbose", action="store_true", help="print the log of the bot")
    parser.add_argument("--all", type=Path, help="append the result of each schedule to this file, as JSON")
    parser.add_argument("--json", type=Path, help="write the totals and the failures to this file")
    return parser.parse_args(argv)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets must not differ from run to run.
        command = [sys.executable, "-m", "benchmarks.simulation", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606  no shell is wanted
    code = main()
    sys.stdout.flush()
    # What crashes have left in memory must not be collected.
    os._exit(code)
