"""What admins are told by themselves."""

from collections.abc import Sequence

import pytest

from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox, users
from tgllm.db.tables.outbox import OutboxRow
from tgllm.db.tables.users import SeenUser
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.testing.clock import ManualClock

ANN, BOB, EVE, OLD = 1, 2, 3, 4


@pytest.fixture(autouse=True)
async def _people(database: Database) -> None:
    """Ann is the owner, Bob an admin, Eve a user, Old an admin whose time is over."""

    def unit(conn: Connection) -> None:
        users.ensure_owners(conn, [ANN], 0)
        for person in (BOB, EVE, OLD):
            users.upsert_seen(conn, SeenUser(person), 0)
            users.set_status(conn, person, "active", 0, expires_at=1 if person == OLD else None)
        for person in (BOB, OLD):
            users.set_role(conn, person, "admin", 0)

    await database.write(unit)


async def sent(database: Database) -> Sequence[OutboxRow]:
    rows = await database.read(lambda conn: [outbox.get(conn, number) for number in range(1, 10)])
    return [row for row in rows if row is not None]


async def test_without_an_admin_chat_each_admin_is_told_in_private(database: Database, clock: ManualClock) -> None:
    assert await AdminNotifier(database, clock, None).bot_notify_admin("News") == 2
    rows = await sent(database)

    assert [(row.chat_id, row.lane, row.method, row.payload["text"]) for row in rows] == [
        (ANN, ":1:", "sendMessage", "News"),
        (BOB, ":2:", "sendMessage", "News"),
    ]


async def test_the_admin_chat_goes_first(database: Database, clock: ManualClock) -> None:
    assert await AdminNotifier(database, clock, -100).bot_notify_admin("News") == 1

    assert [row.chat_id for row in await sent(database)] == [-100]


async def test_the_sender_is_woken_when_the_text_is_stored(database: Database, clock: ManualClock) -> None:
    woken: list[str] = []
    database.on_commit("outbox", lambda: woken.append("woken"))
    await AdminNotifier(database, clock, None).bot_notify_admin("News")

    assert woken == ["woken"]


async def test_what_telegram_would_refuse_is_cut_off(database: Database, clock: ManualClock) -> None:
    await AdminNotifier(database, clock, -100).bot_notify_admin("x" * 5000)

    (row,) = await sent(database)
    assert len(row.payload["text"]) == 4096
    assert row.payload["text"].endswith("x…")


async def test_a_text_is_part_of_the_callers_transaction(database: Database, clock: ManualClock) -> None:
    notifier = AdminNotifier(database, clock, None)

    def unit(conn: Connection) -> None:
        notifier.add(conn, "News")
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(unit)
    assert await sent(database) == []
