"""``python -m benchmarks.load.claims``: claimed and finished updates a second of several processes on PostgreSQL.

Each process claims one update and finishes it, in two transactions, as the bot does; nothing else is done with it. The
lanes have as many updates as there are rounds of them, so that processes meet at the same lanes.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence

from benchmarks.chaos.postgres import running_postgres
from benchmarks.report import table
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.shared import claims
from tgllm.db.queries.shared.claims import Places
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import NewUpdate

__all__ = ["main"]

_ONE = Places(1, 0, None)
_STORED_TOGETHER = 500


def main(argv: list[str] | None = None) -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.claims", description=__doc__)
    parser.add_argument("--processes", nargs="+", type=int, default=[1, 2, 4], help="numbers of processes")
    parser.add_argument("--updates", type=int, default=3000)
    parser.add_argument("--lanes", type=int, default=500)
    parser.add_argument("--work", metavar="URL", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.work:
        print(json.dumps(asyncio.run(_work(arguments.work))))
        return
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} processors\n")
    rows: list[list[str]] = []
    for count in arguments.processes:
        with running_postgres() as server:
            seconds, pairs = asyncio.run(_measure(server.url, count, arguments.updates, arguments.lanes))
        found = [
            f"{1000 * figure:.1f}" for figure in (statistics.median(pairs), statistics.quantiles(pairs, n=100)[-1])
        ]
        rows.append([str(count), f"{len(pairs) / seconds:.0f}", *found])
        if len(pairs) != arguments.updates:
            raise RuntimeError(f"{len(pairs)} of {arguments.updates} updates were finished")
    print(table(["processes", "claimed and finished /s", "p50 ms", "p99 ms"], rows))


async def _measure(url: str, processes: int, updates: int, lanes: int) -> tuple[float, list[float]]:
    """Return the seconds in which all were finished, and those of each pair of transactions."""
    async with await Database.open(url) as database:
        for first in range(1, updates + 1, _STORED_TOGETHER):
            await database.write(lambda conn, first=first: _store(conn, first, updates, lanes))
    commands = [sys.executable, "-m", "benchmarks.load.claims", "--work", url]
    running = [
        await asyncio.create_subprocess_exec(*commands, stdout=asyncio.subprocess.PIPE) for _ in range(processes)
    ]
    results = [json.loads((await each.communicate())[0]) for each in running]
    pairs = [pair for result in results for pair in result["pairs"]]
    # Without the start of the interpreters.
    return max(result["ended"] for result in results) - min(result["began"] for result in results), pairs


def _store(conn: Connection, first: int, updates: int, lanes: int) -> None:
    new = [
        NewUpdate(update_id=number, lane=f":{number % lanes}:", kind="message", control=False, payload="{}")
        for number in range(first, min(first + _STORED_TOGETHER, updates + 1))
    ]
    inbox.add_updates(conn, new, 1)


async def _work(url: str) -> dict[str, float | Sequence[float]]:
    """Claim and finish updates until there are none."""
    pairs: list[float] = []
    async with await Database.open(url) as database:
        holder = database.member_id
        assert holder is not None  # noqa: S101  a server
        began = time.monotonic()
        while True:
            since = time.monotonic()
            rows = await database.claim(lambda conn: claims.claim(conn, holder, _ONE, 1, max_attempts=3))
            if not rows:
                # Another process may hold the last lanes; what it has claimed is finished there.
                if not await database.read(lambda conn: claims.may_claim(conn, holder, _ONE, max_attempts=3)):
                    break
                continue
            for row in rows:
                update_id = row.update_id
                await database.write(lambda conn, update_id=update_id: inbox.finish(conn, update_id, "done", 2))
                pairs.append(time.monotonic() - since)
    return {"pairs": pairs, "began": began, "ended": time.monotonic()}


if __name__ == "__main__":
    main()
