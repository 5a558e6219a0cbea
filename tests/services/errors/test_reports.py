"""Reports of unexpected errors: what the database and the admins get, in calm and in a flood."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

import pytest

from database_support import retry_each_unit
from tgllm.api import DatabaseError
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import errors, outbox, users
from tgllm.db.tables.errors import ErrorRow
from tgllm.db.tables.users import SeenUser
from tgllm.i18n import Catalogue
from tgllm.observe.errors import ErrorFacts
from tgllm.services.chats.language import choose_language
from tgllm.services.errors import reports as module
from tgllm.services.errors.notices import MOST_AT_ONCE, Notices
from tgllm.services.errors.origins import Origins
from tgllm.services.errors.reports import RETRY_SECONDS, ErrorReports
from tgllm.services.errors.texts import ErrorTexts
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.testing.clock import ManualClock

ANN, BOB = 1, 2
INTERVAL = 3600.0
PLUGINS = {"weather": ("tgllm-weather", "1.2")}


class Sink:
    """Keeps what it receives; raises if told so."""

    def __init__(self) -> None:
        self.received: list[ErrorFacts] = []
        self.fails = False

    def send(self, facts: ErrorFacts, version: str) -> None:
        if self.fails:
            raise OSError("no way")
        self.received.append(facts)

    async def aclose(self) -> None:
        pass


@pytest.fixture(autouse=True)
async def _people(database: Database, clock: ManualClock) -> None:
    """Ann is the owner and Bob an admin, who reads Russian."""

    def unit(conn: Connection) -> None:
        users.ensure_owners(conn, [ANN], 0)
        users.upsert_seen(conn, SeenUser(BOB), 0)
        users.set_status(conn, BOB, "active", 0)
        users.set_role(conn, BOB, "admin", 0)
        choose_language(clock, BOB, "ru")(conn)

    await database.write(unit)


@pytest.fixture(autouse=True, params=[False, True], ids=["stored at once", "stored at the second attempt"])
def _attempts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        retry_each_unit(monkeypatch)


@pytest.fixture
def sink() -> Sink:
    return Sink()


Make = Callable[[], ErrorReports]


@pytest.fixture
def make(database: Database, clock: ManualClock, sink: Sink) -> Make:
    """Create reports, as after a start of the bot."""

    def create() -> ErrorReports:
        origins = Origins(lambda: PLUGINS)
        texts = ErrorTexts(Catalogue(strict=True), origins, UTC)
        notices = Notices(AdminNotifier(database, clock, None), texts, clock, INTERVAL)
        return ErrorReports(database, clock, origins, lambda _module: None, notices=notices, sink=sink)

    return create


@pytest.fixture
def reports(make: Make) -> ErrorReports:
    return make()


def kinds(number: int, first: int = 0) -> list[Exception]:
    """Errors of different kinds."""
    return [type(f"Odd{at}", (Exception,), {})("bang") for at in range(first, first + number)]


async def stored(database: Database) -> list[ErrorRow]:
    return await database.read(lambda conn: errors.recent(conn, 5_000))


async def sent(database: Database, chat_id: int = ANN) -> list[str]:
    """Texts for a chat in their order."""

    def query(conn: Connection) -> list[str]:
        cursor = conn.execute("SELECT payload FROM outbox WHERE chat_id = ? ORDER BY id", (chat_id,))
        return [json.loads(row[0])["text"] for row in cursor]

    return await database.read(query)


@asynccontextmanager
async def running(reports: ErrorReports) -> AsyncGenerator[None]:
    task = asyncio.create_task(reports.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def until(check: Callable[[], Any]) -> None:
    for _ in range(100_000):
        if await check():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came")


async def test_the_first_of_a_kind_is_announced_at_once_in_the_language_of_each_admin(
    reports: ErrorReports, database: Database
) -> None:
    code = reports.report(ValueError("bang"), event="update.failed", update_id=5, user=7)
    await reports.settle()

    (english,), (russian,) = await sent(database), await sent(database, BOB)
    assert all(part in english for part in (code, "ValueError", "bang", f"/admin errors {code}"))
    assert code in russian
    assert "Неожиданная ошибка" in russian
    (row,) = await stored(database)
    assert (row.id, row.times, row.announced_times) == (code, 1, 1)
    places = await database.read(lambda conn: errors.places(conn, code, 9))
    assert [(place.kind, place.ref, place.user_id) for place in places] == [("update_id", "5", 7)]


async def test_a_flood_of_kinds_does_not_fill_the_database(
    reports: ErrorReports, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_STORED", 20)
    often = reports.report(ValueError("bang"), event="update.failed")
    reports.report(ValueError("bang"), event="update.failed")
    await reports.settle()
    last = ""
    for wave in range(10):
        await clock.advance(1)
        last = [reports.report(error, event="job.failed", turn=f"{wave}") for error in kinds(15, wave * 15)][-1]
        await reports.settle()

    ids = {row.id for row in await stored(database)}
    # What occurs again and again is kept, and so is the latest.
    assert len(ids) == 20
    assert {often, last} <= ids
    assert len(await sent(database)) <= 2


async def test_the_notice_has_a_button_to_the_details(reports: ErrorReports, database: Database) -> None:
    code = reports.report(ValueError("bang"), event="update.failed")
    await reports.settle()

    row = await database.read(lambda conn: outbox.get(conn, 1))
    assert row is not None
    (((button,),),) = [row.payload["reply_markup"]["inline_keyboard"]]
    assert button["callback_data"] == f"admin:errors {code} +"


async def test_repetitions_are_counted_and_announced_after_the_interval(
    reports: ErrorReports, database: Database, clock: ManualClock
) -> None:
    async with running(reports):
        for _ in range(13):
            reports.report(ValueError("bang"), event="job.failed", job="x")
            await reports.settle()
        assert len(await sent(database)) == 1
        await until(lambda: asyncio.sleep(0, clock.sleepers))
        await clock.advance(INTERVAL)

        async def has_two() -> bool:
            return len(await sent(database)) == 2

        await until(has_two)

    assert "12 more times since" in (await sent(database))[1]


async def test_a_flood_of_kinds_is_one_summary(reports: ErrorReports, database: Database) -> None:
    for error in kinds(1_000):
        reports.report(error, event="update.failed")
    await reports.settle()

    (text,) = await sent(database)
    assert "1000 kinds" in text
    assert "990 more kinds" in text
    assert len(await stored(database)) == 1_000


async def test_kinds_beyond_the_limit_wait_for_the_next_summary(
    reports: ErrorReports, database: Database, clock: ManualClock
) -> None:
    for error in kinds(MOST_AT_ONCE + 20):
        reports.report(error, event="update.failed")
        await reports.settle()

    assert len(await sent(database)) == MOST_AT_ONCE + 1
    await clock.advance(INTERVAL)
    reports.report(ValueError("other"), event="update.failed")
    await reports.settle()
    assert "20 kinds" in (await sent(database))[-1]


async def test_ten_thousand_errors_at_once_are_one_row_and_one_message(
    reports: ErrorReports, database: Database
) -> None:
    for number in range(10_000):
        reports.report(ValueError("bang"), event="update.failed", update_id=number)
    await reports.settle()

    (row,) = await stored(database)
    assert row.times == 10_000
    assert len(await sent(database)) == 1


async def test_a_clock_that_goes_backwards_silences_nothing(
    reports: ErrorReports, database: Database, clock: ManualClock
) -> None:
    reports.report(ValueError("bang"), event="update.failed")
    await reports.settle()
    clock.set_now(clock.now() - 86_400)
    reports.report(ValueError("bang"), event="update.failed")
    await reports.settle()

    assert "Once more" in (await sent(database))[1]


async def test_a_restart_does_not_repeat_a_notice(make: Make, database: Database) -> None:
    for _ in range(3):
        again = make()
        again.report(ValueError("bang"), event="plugin.quarantined", plugin="weather")
        await again.settle()

    assert len(await sent(database)) == 1


async def test_errors_and_their_notice_are_stored_together(
    make: Make, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = make()

    def killed(*_args: object) -> None:
        raise DatabaseError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(AdminNotifier, "chats", killed)
        reports.report(ValueError("bang"), event="update.failed")
        await reports.settle()
    assert await stored(database) == []

    await reports.settle()
    assert [row.times for row in await stored(database)] == [1]
    assert len(await sent(database)) == 1


async def test_a_full_disk_costs_nothing_but_time(
    reports: ErrorReports, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(errors, "put", _full)
        async with running(reports):
            reports.report(ValueError("bang"), event="update.failed")
            await until(lambda: asyncio.sleep(0, clock.sleepers))
            patch.undo()
            await clock.advance(RETRY_SECONDS)

            async def is_stored() -> bool:
                return bool(await stored(database))

            await until(is_stored)

    assert [row.times for row in await stored(database)] == [1]


def _full(*_args: object) -> None:
    raise DatabaseError("The disk is full", code="database_full")


async def test_a_plugin_is_named_with_its_version(reports: ErrorReports, database: Database) -> None:
    reports.report(ValueError("bang"), event="command.failed", plugin="weather")
    await reports.settle()

    (text,) = await sent(database)
    assert "the plugin weather (tgllm-weather 1.2)" in text
    assert "report it to the authors of tgllm-weather 1.2" in text


async def test_an_error_inside_the_reporter_is_no_other_error(
    reports: ErrorReports, sink: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    sink.fails = True

    code = reports.report(ValueError("bang"), event="update.failed")

    assert len(code) == 9
    assert "errors.report_failed" in capsys.readouterr().out


class Reporting(Exception):
    """Its text reports an error."""

    reports: ErrorReports

    def __str__(self) -> str:
        self.reports.report(self, event="update.failed")
        return "again"


async def test_a_report_within_a_report_ends(reports: ErrorReports, sink: Sink) -> None:
    error = Reporting()
    error.reports = reports

    assert reports.report(error, event="update.failed")
    assert len(sink.received) == 1


async def test_a_field_that_can_not_be_shown_costs_nothing(reports: ErrorReports, sink: Sink) -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise SystemExit(3)

    reports.report(ValueError("bang"), event="update.failed", thing=Hostile())

    assert len(sink.received) == 1


async def test_errors_during_the_shutdown_are_stored_by_its_end(reports: ErrorReports, database: Database) -> None:
    reports.report(ValueError("bang"), event="update.failed")

    await reports.aclose()

    assert len(await stored(database)) == 1


async def test_without_admins_errors_wait_for_one(reports: ErrorReports, database: Database) -> None:
    await database.write(lambda conn: conn.execute("UPDATE users SET role = 'user', status = 'active'"))
    reports.report(ValueError("bang"), event="update.failed")
    await reports.settle()

    (row,) = await stored(database)
    assert row.announced_times == 0
