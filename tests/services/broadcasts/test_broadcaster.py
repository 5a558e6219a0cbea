"""A broadcast goes into the outbox slowly, once for each person, and its progress is told."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from database_support import retry_each_unit
from tgllm.api.clock import milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.rows import read_all
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import outbox_claims
from tgllm.db.tables import broadcasts, outbox, users
from tgllm.db.tables.broadcasts import Broadcast
from tgllm.db.tables.outbox import OutboxRow
from tgllm.i18n import Catalogue
from tgllm.services.broadcasts.broadcaster import Broadcaster
from tgllm.services.broadcasts.decisions import confirm, stop
from tgllm.testing.clock import ManualClock

ADMIN, TEXT = 1, "The bot moves tonight."
PEOPLE = range(10, 22)


class Admin:
    """Somebody who broadcasts to twelve people, and the bot's work on it, second by second."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock
        self.texts = Catalogue(strict=True)

    async def begin(self) -> None:
        def unit(conn: Connection) -> None:
            now = milliseconds(self.clock)
            for user_id in (ADMIN, *PEOPLE):
                users.upsert_seen(conn, users.SeenUser(user_id), now)
                users.set_status(conn, user_id, "active", now)
            number = broadcasts.add_preview(
                conn, admin_id=ADMIN, text=TEXT, lane=f":{ADMIN}:", language="en", expires_at=now + 1000, now=now
            )
            assert isinstance(confirm(conn, self.texts, number, ADMIN, now), Broadcast)

        await self.database.write(unit)

    async def stops(self) -> None:
        await self.database.write(lambda conn: stop(conn, 1, ADMIN, milliseconds(self.clock)))

    @asynccontextmanager
    async def broadcasting(self, rate: float) -> AsyncGenerator[None]:
        broadcaster = Broadcaster(self.database, self.clock, self.texts, rate)
        task = asyncio.create_task(broadcaster.run())
        try:
            await self.settled()
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def settled(self) -> None:
        while not self.clock.sleepers:  # noqa: ASYNC110  the clock tells nobody who waits for it
            await asyncio.sleep(0)

    async def waits(self, seconds: int = 1) -> None:
        for _ in range(seconds):
            await self.clock.advance(1)
            await self.settled()

    async def telegram_takes(self, *, error: str | None = None) -> None:
        """Let all that is in the outbox be sent, or be refused."""

        def unit(conn: Connection) -> None:
            for row in outbox_claims.claim(conn, 100, milliseconds(self.clock)):
                if error is None:
                    outbox.mark_sent(conn, [(row.id, 1000 + row.id)], 1)
                else:
                    outbox.mark_failed(conn, row.id, error)

        await self.database.write(unit)

    async def rows(self) -> list[OutboxRow]:
        def query(conn: Connection) -> list[OutboxRow]:
            return read_all(OutboxRow, conn.execute("SELECT * FROM outbox ORDER BY id"))

        return await self.database.read(query)

    async def told(self) -> list[int]:
        """Who has been told or is about to be."""
        return [row.chat_id or 0 for row in await self.rows() if row.payload["text"] == TEXT]

    async def said(self) -> list[dict[str, Any]]:
        """What the admin is told."""
        return [dict(row.payload) for row in await self.rows() if row.chat_id == ADMIN]

    async def result(self) -> Broadcast:
        found = await self.database.read(lambda conn: broadcasts.get(conn, 1))
        assert found is not None
        return found


@pytest.fixture(autouse=True, params=[False, True], ids=["stored at once", "stored at the second attempt"])
def _attempts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        retry_each_unit(monkeypatch)


@pytest.fixture
def admin(database: Database, clock: ManualClock) -> Admin:
    return Admin(database, clock)


@pytest.mark.parametrize(("rate", "batch"), [(3.0, 3), (3.9, 3), (1.5, 1)])
async def test_so_many_a_second(admin: Admin, rate: float, batch: int) -> None:
    await admin.begin()
    async with admin.broadcasting(rate):
        for second in range(1, 4):
            assert await admin.told() == list(PEOPLE)[: batch * second]
            await admin.telegram_takes()
            await admin.waits()


async def test_a_rate_below_one_takes_seconds_for_each(admin: Admin) -> None:
    await admin.begin()
    async with admin.broadcasting(0.5):
        await admin.telegram_takes()
        await admin.waits(1)
        assert len(await admin.told()) == 1
        await admin.waits(1)
        assert len(await admin.told()) == 2


async def test_what_telegram_does_not_take_does_not_pile_up(admin: Admin) -> None:
    await admin.begin()
    async with admin.broadcasting(2):
        await admin.waits(8)
        assert len(await admin.told()) == 4
        await admin.telegram_takes()
        await admin.waits(1)
        assert len(await admin.told()) == 6


async def test_the_progress_is_an_edit_of_one_message_every_five_seconds(admin: Admin) -> None:
    await admin.begin()
    async with admin.broadcasting(1):
        for _ in range(11):
            await admin.telegram_takes()
            await admin.waits()
    first, *edits = await admin.said()

    assert first["text"] == "Broadcast: 0 of 12 done."
    assert json.dumps(first["reply_markup"]).count("admin:broadcast_stop 1") == 1
    assert [edit["text"] for edit in edits] == ["Broadcast: 5 of 12 done.", "Broadcast: 10 of 12 done."]
    assert {edit["message_id"] for edit in edits} == {1001}


async def test_the_end_is_reported_and_the_button_goes(admin: Admin) -> None:
    await admin.begin()
    async with admin.broadcasting(5):
        await admin.telegram_takes()
        await admin.waits()
        await admin.telegram_takes(error="Forbidden: bot was blocked by the user")
        await admin.waits()
        await admin.telegram_takes(error="Bad Request: chat not found")
        await admin.clock.advance(1)
        while (await admin.result()).state != "done":
            pass
    result = await admin.result()
    *_, edit, report = await admin.said()

    assert (result.people, result.delivered, result.blocked, result.failed, result.left_out) == (12, 5, 5, 2, 0)
    assert (edit["text"], edit["reply_markup"]) == ("The broadcast is done.", {"inline_keyboard": []})
    assert "delivered: 5\n" in report["text"]
    assert await admin.told() == list(PEOPLE)


async def test_who_loses_their_access_meanwhile_is_left_out(admin: Admin) -> None:
    await admin.begin()
    async with admin.broadcasting(6):
        await admin.telegram_takes()
        await admin.database.write(lambda conn: users.set_status(conn, PEOPLE[-1], "blocked", 1))
        await admin.waits()
        await admin.telegram_takes()

        assert await admin.told() == list(PEOPLE)[:-1]
        assert (await admin.result()).left_out == 1


async def test_a_stop_takes_back_what_has_not_left(admin: Admin) -> None:
    await admin.begin()
    async with admin.broadcasting(4):
        await admin.telegram_takes()
        await admin.waits()
        await admin.stops()
        await admin.clock.advance(1)
        while (await admin.result()).state != "stopped":
            pass
    result = await admin.result()
    states = [row.state for row in await admin.rows() if row.payload["text"] == TEXT]

    assert (result.delivered, result.left_out) == (4, 8)
    assert states == ["sent"] * 4 + ["dropped"] * 4


async def test_a_second_run_tells_those_who_are_left(admin: Admin) -> None:
    await admin.begin()
    async with admin.broadcasting(5):
        pass
    async with admin.broadcasting(5):
        assert await admin.told() == list(PEOPLE)[:10]
        await admin.telegram_takes()
        await admin.waits()
        assert await admin.told() == list(PEOPLE)


async def test_where_there_is_nothing_to_do_nothing_is_done(admin: Admin) -> None:
    broadcaster = Broadcaster(admin.database, admin.clock, admin.texts, 20)
    task = asyncio.create_task(broadcaster.run())
    await admin.database.read(outbox.counts)
    assert admin.clock.sleepers == 0
    await admin.begin()
    broadcaster.wake()
    await admin.settled()

    assert await admin.told() == list(PEOPLE)
    task.cancel()
    await asyncio.wait({task})
