"""The figures that admins see, by time, model and person."""

import pytest

from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import requests, usage, users
from tgllm.db.tables.requests import NewRequest, Outcome
from tgllm.db.tables.usage import Spent
from tgllm.services.common.calendar import Days
from tgllm.services.usage.statistics import Latency, models_of, people_of, statistics_of

DAY = 86_400_000
NOW = 1_767_225_600_000 + 40 * DAY + 3_600_000  # 2026-02-10 01:00 UTC


def use(conn: Connection, days_ago: int, user_id: int | None, cost: int) -> None:
    usage.add(conn, user_id, Days().day(NOW - days_ago * DAY), "p", "m", Spent(input_tokens=1, cost_micros=cost))


def answer(
    conn: Connection,
    turn: str,
    at: int,
    status: requests.Status,
    latency: int | None,
    *,
    user_id: int | None = None,
) -> None:
    new = NewRequest(turn_id=turn, conversation_id=None, user_id=user_id, provider="p", model="m")
    requests.add(conn, new, Outcome(status=status, latency_ms=latency), at, at)


async def test_each_span_ends_today_and_holds_the_shorter_ones(database: Database) -> None:
    def fill(conn: Connection) -> None:
        for days_ago, user_id in ((0, 1), (0, 2), (6, 3), (7, 4), (29, 5), (30, 6), (0, None)):
            use(conn, days_ago, user_id, 10)
        answer(conn, "a", NOW - 3_600_000, "failed", None)
        answer(conn, "b", NOW - 3_600_001, "failed", None)
        answer(conn, "c", NOW - 30 * DAY, "interrupted", None)

    await database.write(fill)
    found = await database.read(lambda conn: statistics_of(conn, NOW, Days()))
    assert [(span.days, span.people, span.total.requests, span.errors) for span in found.spans] == [
        (1, 2, 3, 1),
        (7, 3, 4, 2),
        (30, 5, 6, 2),
    ]
    assert [(day.day, day.requests) for day in found.days] == [
        ("2026-02-04", 1),
        *((f"2026-02-{day:02}", 0) for day in range(5, 10)),
        ("2026-02-10", 3),
    ]


@pytest.mark.parametrize(
    ("taken", "latency"),
    [
        ([], None),
        ([70], Latency(70, 70)),
        ([10, 20], Latency(10, 20)),
        (list(range(1, 101)), Latency(50, 95)),
        ([*range(1, 20), 1000], Latency(10, 19)),
    ],
)
async def test_how_long_answers_take(database: Database, taken: list[int], latency: Latency | None) -> None:
    def fill(conn: Connection) -> None:
        for number, milliseconds in enumerate(taken):
            answer(conn, f"t{number}", NOW, "ok", milliseconds)
        answer(conn, "failed", NOW, "failed", 9999)

    await database.write(fill)
    found = await database.read(lambda conn: statistics_of(conn, NOW, Days()))
    assert found.spans[0].latency == latency


async def test_shares_have_their_own_errors_and_speed_the_most_expensive_first(database: Database) -> None:
    def fill(conn: Connection) -> None:
        use(conn, 0, 1, 10)
        use(conn, 6, 2, 90)
        use(conn, 7, 3, 1000)
        users.upsert_seen(conn, users.SeenUser(2), NOW)
        answer(conn, "a", NOW, "ok", 5, user_id=2)
        answer(conn, "b", NOW, "failed", None, user_id=2)
        answer(conn, "c", NOW, "ok", 9)

    await database.write(fill)
    people = await database.read(lambda conn: people_of(conn, NOW, Days(), 7))
    assert [(share.name, share.total.cost_micros, share.errors, share.latency) for share in people] == [
        (2, 90, 1, Latency(5, 5)),
        (1, 10, 0, None),
    ]
    (model,) = await database.read(lambda conn: models_of(conn, NOW, Days(), 7))
    assert (str(model.name), model.total.cost_micros, model.errors, model.latency) == ("p/m", 100, 1, Latency(5, 9))
