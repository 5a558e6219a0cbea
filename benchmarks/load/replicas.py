"""``python -m benchmarks.load.replicas``: turns of one process on SQLite, and of replicas on PostgreSQL.

All receive updates by a webhook; the replicas stand behind a small load balancer. The figures of the floor, a bare
aiogram bot that polls, are beside them. Everything runs on one machine, so that replicas share its processors with
the database server, the emulator and the model: what is measured is what sharing costs, not what machines bring.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.chaos.balancer import Balancer
from benchmarks.chaos.fleet import free_ports
from benchmarks.chaos.postgres import Postgres, running_postgres
from benchmarks.process import Program, start
from benchmarks.report import table
from benchmarks.turns import QUIET_SECONDS, Figures, figures_of, measure, median, talk_to, variables_of
from benchmarks.words import ANSWER

__all__ = ["main"]

READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Round:
    """Figures of a round."""

    bots: Figures
    """Their processor time is that of all replicas."""
    server_cpu_ms: float
    """Processor time of the database server a turn, in milliseconds; 0 with SQLite."""


def main(argv: list[str] | None = None) -> None:
    """Measure and print the results."""
    arguments = _arguments(argv)
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} processors\n")
    names = ["floor", "SQLite", *(f"PostgreSQL, {count} replicas" for count in arguments.replicas)]
    rounds: dict[str, list[Round]] = {name: [] for name in names}
    for _ in range(arguments.rounds):
        for name, count in zip(names, (-1, 0, *arguments.replicas), strict=True):
            one = _measure(count, arguments)
            shown = one.bots
            print(f"{name}: {shown.turns_per_second:.0f} turns/s, p50 {shown.p50_ms:.1f} ms", flush=True)
            rounds[name].append(one)
    rows = [_row(name, found) for name, found in rounds.items()]
    print("\n" + table(["bot", "turns/s", "CPU ms/turn", "server ms/turn", "p50 ms", "p95 ms", "p99 ms"], rows))


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.replicas", description=__doc__)
    parser.add_argument("--replicas", nargs="+", type=int, default=[1, 2, 3], help="numbers of replicas")
    parser.add_argument("--parallel", type=int, default=10, help="people who wait for an answer at the same time")
    parser.add_argument("--talk", type=int, default=10, help="messages of each person in all")
    parser.add_argument("--turns", type=int, default=600, help="messages counted in each round")
    parser.add_argument("--warm-up", type=int, default=150, help="messages before those")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args(argv)


def _row(name: str, rounds: Sequence[Round]) -> list[str]:
    bots = median([each.bots for each in rounds])
    server = sorted(each.server_cpu_ms for each in rounds)[len(rounds) // 2]
    shown = (bots.turns_per_second, bots.cpu_ms, server, bots.p50_ms, bots.p95_ms, bots.p99_ms)
    return [name, *(f"{figure:.1f}" for figure in shown)]


def _measure(replicas: int, arguments: argparse.Namespace) -> Round:
    """Measure that number of replicas; 0 is a process on SQLite, and -1 the floor."""
    turns, warm_up, parallel, talk = arguments.turns, arguments.warm_up, arguments.parallel, arguments.talk
    if replicas < 0:
        return Round(measure("floor", parallel=parallel, turns=turns, warm_up=warm_up, talk=talk), 0.0)
    people = max(parallel, -(-(turns + warm_up) // talk))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="tgllm-benchmark-")))
        log = folder / "log"
        telegram = stack.enter_context(
            start("benchmarks.telegram", "--people", str(people), "--parallel", str(parallel), log=log)
        )
        model = stack.enter_context(start("benchmarks.model_server", log=log))
        server = telegram.receive()
        common = variables_of("tgllm", server, model.receive()["url"], str(folder), parallel)
        database = stack.enter_context(running_postgres()) if replicas else None
        ports = free_ports(max(1, replicas))
        port = stack.enter_context(_balancing(ports)) if database is not None else ports[0]
        bots = [
            stack.enter_context(start("tgllm", "run", log=log, variables=common | _of_replica(each, port, database)))
            for each in ports
        ]
        talk_to(telegram, warm_up, ANSWER)
        telegram.send(json.dumps({"quiet": {"seconds": QUIET_SECONDS}}))
        telegram.receive()
        before = _cpu(bots), model.cpu_ms(), 0.0 if database is None else database.cpu_ms()
        result = talk_to(telegram, turns, ANSWER)
        after = _cpu(bots), model.cpu_ms(), 0.0 if database is None else database.cpu_ms()
        peak = max(bot.peak_mib() for bot in bots)
        figures = figures_of(result, after[0] - before[0], after[1] - before[1], peak)
        return Round(figures, (after[2] - before[2]) / turns)


def _cpu(bots: Sequence[Program]) -> float:
    return sum(bot.cpu_ms() for bot in bots)


def _of_replica(own: int, shared: int, database: Postgres | None) -> Mapping[str, str]:
    return {
        "TGLLM_WEBHOOK__URL": f"http://127.0.0.1:{shared}/hook",
        "TGLLM_WEBHOOK__PORT": str(own),
        "TGLLM_WEBHOOK__SECRET": "a-secret-that-all-replicas-share",
        **({} if database is None else {"TGLLM_DATABASE__URL": database.url}),
    }


@contextmanager
def _balancing(ports: Sequence[int]) -> Generator[int]:
    """Run a load balancer in a thread of its own; gives its port."""
    ready, found = threading.Event(), list[int]()
    stops = list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]()

    async def serve() -> None:
        stop = asyncio.Event()
        async with Balancer(ports, random.Random(1), twice=0.0).serving() as port:  # noqa: S311  nothing is chosen here
            found.append(port)
            stops.append((asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    if not ready.wait(READY_SECONDS):
        raise RuntimeError("the load balancer has not started")
    try:
        yield found[0]
    finally:
        loop, stop = stops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join()


if __name__ == "__main__":
    main()
