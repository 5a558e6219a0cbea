"""Who listens to a signal is called once the unit that gave it is committed, and only then."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable

import pytest

from database_support import NOW, busy, together
from engines import Engine
from tgllm.db.database import Database
from tgllm.db.engine.signals import signal
from tgllm.db.queries import outbox_claims
from tgllm.db.tables import broadcasts, kv, outbox
from tgllm.db.tables.outbox import NewOutbox

ROW = NewOutbox(lane=":1:", method="sendMessage", chat_id=1, payload={"chat_id": 1, "text": "News"})
Unit = Callable[[sqlite3.Connection], object]


class Heard:
    """What the database had told when."""

    def __init__(self, database: Database) -> None:
        self.calls = 0
        database.on_commit("outbox", self._note)

    def _note(self) -> None:
        self.calls += 1

    def since(self) -> int:
        calls, self.calls = self.calls, 0
        return calls


@pytest.fixture
def heard(database: Database) -> Heard:
    return Heard(database)


def adding(conn: sqlite3.Connection) -> int:
    return outbox.add(conn, [ROW], NOW)[0]


def adding_in_vain(conn: sqlite3.Connection) -> None:
    adding(conn)
    raise LookupError


def other(conn: sqlite3.Connection) -> None:
    kv.set_value(conn, "test", "key", 1, NOW)


async def test_a_row_that_is_added_is_told_before_whoever_added_it_goes_on(database: Database, heard: Heard) -> None:
    await database.write(adding)
    assert heard.since() == 1


async def test_a_unit_without_a_row_tells_nothing(database: Database, heard: Heard) -> None:
    await database.write(other)
    await database.write(lambda conn: outbox.add(conn, [], NOW))
    await database.read(outbox.counts)
    assert heard.since() == 0


async def test_what_is_rolled_back_is_not_told_then_or_later(database: Database, heard: Heard) -> None:
    with pytest.raises(LookupError):
        await database.write(adding_in_vain)
    await database.write(other)
    assert heard.since() == 0


async def test_units_that_share_a_commit_are_told_once(database: Database, heard: Heard) -> None:
    await together(database, other, adding, other, adding)
    assert heard.since() == 1


async def test_a_unit_that_fails_among_others_is_not_told(database: Database, heard: Heard) -> None:
    results = await together(database, other, adding_in_vain, other)
    assert isinstance(results[1], LookupError)
    await database.write(other)
    assert heard.since() == 0


async def test_a_row_beside_a_unit_that_fails_is_told(database: Database, heard: Heard) -> None:
    await together(database, adding_in_vain, adding)
    assert heard.since() == 1


async def test_a_commit_that_fails_is_not_told(database: Database, heard: Heard, engine: Engine) -> None:
    defer = "SET CONSTRAINTS ALL DEFERRED" if engine.is_postgres else "PRAGMA defer_foreign_keys = ON"

    def breaks_at_the_commit(conn: sqlite3.Connection) -> None:
        conn.execute(defer)
        conn.execute("INSERT INTO broadcast_recipients (broadcast_id, user_id) VALUES (99, 99)")

    results = await together(database, adding, breaks_at_the_commit)
    assert all(isinstance(result, sqlite3.IntegrityError) for result in results)
    await database.write(other)
    assert heard.since() == 0


async def answering(database: Database, *units: Unit, answer: Unit) -> list[object]:
    """What came of units and a last one that answers the signal, all in one transaction."""
    async with busy(database):
        tasks = [asyncio.create_task(database.write(unit)) for unit in units]
        tasks.append(asyncio.create_task(database.write(answer, answers="outbox")))
        await asyncio.wait(tasks, timeout=0)
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_a_later_unit_of_the_transaction_answers_is_not_told(database: Database, heard: Heard) -> None:
    rows = await answering(database, adding, adding, answer=lambda conn: len(outbox_claims.claim(conn, 9, NOW)))
    assert rows[-1] == 1
    assert heard.since() == 0


async def test_what_comes_after_the_answer_is_told(database: Database, heard: Heard) -> None:
    async with busy(database):
        answer = asyncio.create_task(database.write(other, answers="outbox"))
        later = asyncio.create_task(database.write(adding))
        await asyncio.wait([answer, later], timeout=0)
    await asyncio.gather(answer, later)
    assert heard.since() == 1


async def test_an_answer_that_fails_answers_nothing(database: Database, heard: Heard) -> None:
    await answering(database, adding, answer=adding_in_vain)
    assert heard.since() == 1


async def test_an_answer_that_makes_work_itself_is_told(database: Database, heard: Heard) -> None:
    await answering(database, other, answer=adding)
    assert heard.since() == 1


async def test_an_expected_signal_is_told_at_once(database: Database, heard: Heard) -> None:
    database.expect("outbox")
    assert heard.since() == 1


async def test_a_unit_whose_caller_was_cancelled_is_told(database: Database, heard: Heard) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(conn: sqlite3.Connection) -> None:
        inside.set()
        assert go_on.wait(30)
        adding(conn)

    writing = asyncio.create_task(database.write(slow))
    await asyncio.to_thread(inside.wait, 30)
    writing.cancel()
    go_on.set()
    await database.write(other)
    assert heard.since() == 1


async def test_whatever_may_let_a_row_go_out_is_told(database: Database, heard: Heard) -> None:
    def again(conn: sqlite3.Connection) -> None:
        outbox.mark_ready_again(conn, 1, NOW, "try again")

    def otherwise(conn: sqlite3.Connection) -> None:
        outbox.rewrite(conn, 1, method="sendMessage", kind="send", payload={})

    def uncertain(conn: sqlite3.Connection) -> None:
        outbox_claims.claim(conn, 1, NOW)
        outbox.mark_uncertain(conn, 1, "cut")

    def claim(conn: sqlite3.Connection) -> None:
        outbox_claims.claim(conn, 1, NOW)

    told: list[tuple[str, int]] = []
    units: dict[str, Unit] = {
        "added": adding,
        "claimed": claim,
        "to be tried again": again,
        "claimed again": claim,
        "rewritten": otherwise,
        "uncertain": uncertain,
        "sent again": lambda conn: outbox.resend(conn, 1),
        "out of the way": lambda conn: outbox.drop(conn, 1, "gone"),
        "a broadcast out of the way": lambda conn: broadcasts.leave_out_rest(conn, 1),
    }
    for name, unit in units.items():
        await database.write(unit)
        told.append((name, heard.since()))
    assert [name for name, calls in told if not calls] == ["claimed", "claimed again", "uncertain"]


async def test_a_connection_of_somebody_else_takes_signals_and_tells_nobody() -> None:
    conn = sqlite3.connect(":memory:")
    signal(conn, "outbox")
    conn.close()
