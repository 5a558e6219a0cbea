"""``python -m benchmarks.load.search``: what the index of ``/search`` costs a stored message, and how fast it finds."""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tgllm.api.clock import SystemClock
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, messages
from tgllm.db.tables.messages import NewMessage
from tgllm.services.common.lane import Lane
from tgllm.services.search.finder import find
from tgllm.services.search.index import SearchIndex

__all__ = ["main"]

PEOPLE = 20
WORDS = 70
"""Words of a message: about 500 characters."""


def main(argv: list[str] | None = None) -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.search", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000, help=f"messages of {PEOPLE} people")
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder) / "tgllm.db", arguments.messages, arguments.rounds))


async def _measure(path: Path, count: int, rounds: int) -> None:
    chance = random.Random(1)  # noqa: S311  made-up words
    letters = [chr(code) for code in (*range(0x430, 0x444), *range(0x61, 0x69))]
    words = ["".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(5000)]
    texts = [" ".join(chance.choices(words, k=WORDS)) for _ in range(200)]
    clock = SystemClock()
    async with await Database.open(path, clock=clock) as database:
        await database.write(lambda conn: _fill(conn, texts, count))
        with_trigger, without = await database.write(lambda conn: _stored(conn, texts[0], rounds))
        print(f"storing a message: {with_trigger:.0f} µs CPU with the trigger, {without:.0f} µs without")
        began = time.process_time()
        await SearchIndex(database, clock).update()
        each = (time.process_time() - began) / count * 1000
        print(f"indexing a message, later: {each:.2f} ms CPU")
        for name, query in {"a word": words[5], "two words": f"{words[7]} {words[9]}", "two letters": "ab"}.items():
            took = [await database.read(_timed(query)) for _ in range(rounds)]
            print(f"{name}: {statistics.median(took):.1f} ms")


def _fill(conn: Connection, texts: list[str], count: int) -> None:
    for number in range(count):
        conversation = conversations.active_for(conn, Lane(7 + number % PEOPLE).key, 1)
        _say(conn, conversation.id, texts[number % len(texts)])


def _say(conn: Connection, conversation_id: int, text: str) -> None:
    new = NewMessage(conversation_id=conversation_id, parent_id=None, turn_id="t", role="user", text=text)
    messages.add(conn, new, 1)


def _stored(conn: Connection, text: str, rounds: int) -> tuple[float, float]:
    """Return the microseconds of storing a message, with and without the trigger; nothing of it stays stored."""
    conversation = conversations.active_for(conn, Lane(7).key, 1)
    took: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(rounds):
        for has_trigger in (True, False):
            conn.execute("SAVEPOINT measured")
            if not has_trigger:
                conn.execute("DROP TRIGGER messages_search_new")
            began = time.process_time()
            for _ in range(500):
                _say(conn, conversation.id, text)
            took[has_trigger].append((time.process_time() - began) / 500 * 1e6)
            conn.execute("ROLLBACK TO measured")
    return statistics.median(took[True]), statistics.median(took[False])


def _timed(query: str) -> Callable[[Connection], float]:
    def run(conn: Connection) -> float:
        began = time.perf_counter()
        find(conn, Lane(7), query)
        return (time.perf_counter() - began) * 1000

    return run


if __name__ == "__main__":
    main()
