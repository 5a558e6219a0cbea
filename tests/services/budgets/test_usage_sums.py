"""Sums of usage that budgets are compared with."""

from dataclasses import astuple
from datetime import date, timedelta

import pytest

from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import usage
from tgllm.db.tables.usage import Spent
from tgllm.services.budgets.budget_scope import BOT
from tgllm.services.budgets.usage_sums import UsageSums

MONTH = "2026-11-01"
DAYS = [(date(2026, 10, 31) + timedelta(days=number)).isoformat() for number in range(31)]


async def test_the_sums_of_all_are_the_same_on_every_day(database: Database) -> None:
    sums = UsageSums(private_only=False)
    for number, today in enumerate(DAYS[1:], 1):
        spent = Spent(input_tokens=number, cost_micros=10)

        def check(conn: Connection, today: str = today, spent: Spent = spent) -> None:
            for day in (DAYS[DAYS.index(today) - 1], today):
                usage.add(conn, 7, day, "echo", "a", spent)
                assert sums.of(conn, BOT, MONTH, today) == usage.used(conn, MONTH, today)
            assert sums.of(conn, BOT, today, today) == usage.used(conn, today, today)

        await database.write(check)


@pytest.mark.sqlite  # counts SQLite's statements
async def test_days_that_are_over_are_read_once(database: Database) -> None:
    sums, seen = UsageSums(private_only=False), list[str]()

    def spend(conn: Connection) -> None:
        for day in DAYS:
            usage.add(conn, 7, day, "echo", "a", Spent(input_tokens=1))

    def read(conn: Connection) -> None:
        conn.set_trace_callback(seen.append)
        for _ in range(3):
            assert astuple(sums.of(conn, BOT, MONTH, "2026-11-20"))[:2] == (30, 30)
        conn.set_trace_callback(None)

    await database.write(spend)
    await database.read(read)
    assert len(seen) == 4
    assert sum(MONTH in query for query in seen) == 1


@pytest.mark.sqlite  # as above
@pytest.mark.parametrize("today", ["2026-11-01", "2026-11-02"])
async def test_nothing_is_remembered_at_the_beginning_of_a_month(database: Database, today: str) -> None:
    sums, seen = UsageSums(private_only=False), list[str]()

    def read(conn: Connection) -> None:
        conn.set_trace_callback(seen.append)
        sums.of(conn, BOT, MONTH, today)
        conn.set_trace_callback(None)

    await database.read(read)
    assert len(seen) == 1
