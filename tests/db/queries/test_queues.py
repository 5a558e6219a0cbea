"""The lengths of the queues, read from indexes that hold only what is not finished."""

import pytest

from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import queues as module
from tgllm.db.queries.queues import Queues, queues
from tgllm.db.tables import inbox, outbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.outbox import NewOutbox


def update(number: int, lane: str, *, control: bool = False) -> NewUpdate:
    return NewUpdate(number, lane, "message", control, "{}")


def call(lane: str) -> NewOutbox:
    return NewOutbox(lane=lane, method="sendMessage", chat_id=1, payload={})


async def test_what_waits_is_counted_and_the_rest_is_not(database: Database) -> None:
    def fill(conn: Connection) -> None:
        inbox.add_updates(conn, [update(1, "1"), update(2, "1"), update(3, "2")], 5_000)
        inbox.add_updates(conn, [update(4, "3", control=True)], 4_000)
        conn.execute("UPDATE inbox SET state = 'running', started_at = 1 WHERE update_id = 1")
        inbox.add_updates(conn, [update(9, "4")], 1_000)
        inbox.finish(conn, 9, "done", 6_000)
        outbox.add(conn, [call("1"), call("2")], 1)
        (first, *_) = outbox.add(conn, [call("3")], 1)
        conn.execute("UPDATE outbox SET state = 'uncertain' WHERE id = ?", (first,))

    await database.write(fill)

    assert await database.read(queues) == Queues(3, 1, 3, 4_000, 2, 0, 1)


async def test_nothing_waits(database: Database) -> None:
    assert await database.read(queues) == Queues(0, 0, 0, None, 0, 0, 0)


@pytest.mark.sqlite  # reads SQLite's plan of a query
async def test_no_table_is_scanned(database: Database) -> None:
    def plans(conn: Connection) -> list[str]:
        queries = (module._QUEUED, module._COUNTS)
        return [str(row[3]) for query in queries for row in conn.execute(f"EXPLAIN QUERY PLAN {query}")]

    steps = [step for step in await database.read(plans) if " inbox" in step or " outbox" in step]

    assert len(steps) == 6
    assert all("USING" in step and "INDEX" in step for step in steps), steps
