"""Handing out updates: what can't be read, what goes wrong, and how many at once."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
from aiogram import Bot, Dispatcher
from aiogram.types import Update

from tgllm.api import DatabaseError
from tgllm.bot.intake.dispatch import Dispatch, _Claimed
from tgllm.bot.updates.raw import to_inbox
from tgllm.bot.updates.scrubbing import Relevance
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.shared import inbox_recovery
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow, NewUpdate
from tgllm.services.tools.put_back import PutBack
from tgllm.testing.clock import ManualClock


def said(update_id: int, chat: int = 7, text: str = "hi") -> dict[str, Any]:
    person = {"id": chat, "is_bot": False, "first_name": "Ann"}
    message = {"message_id": update_id, "date": 0, "chat": {"id": chat, "type": "private"}, "from": person}
    return {"update_id": update_id, "message": message | {"text": text}}


class Handler(Dispatcher):
    """Takes the place of aiogram's dispatcher: notes what comes, does what the test says, and ends the update."""

    def __init__(self, database: Database) -> None:
        super().__init__(disable_fsm=True)
        self._database = database
        self.came: list[int] = []
        self.arrived = asyncio.Event()
        self.running = 0
        self.most = 0
        self.gate: asyncio.Event | None = None
        self.errors: dict[int, BaseException] = {}

    async def feed_update(self, bot: Bot, update: Update, **kwargs: Any) -> Any:
        self.came.append(update.update_id)
        self.running += 1
        self.most = max(self.most, self.running)
        self.arrived.set()
        try:
            if self.gate is not None and not kwargs["inbox_row"].control:
                await self.gate.wait()
            if update.update_id in self.errors:
                raise self.errors[update.update_id]
            await self._database.write(lambda conn: inbox.finish(conn, update.update_id, "done", 0))
        finally:
            self.running -= 1

    async def wait_for(self, count: int) -> None:
        while len(self.came) < count:
            self.arrived.clear()
            await self.arrived.wait()


@pytest.fixture
def handler(database: Database) -> Handler:
    return Handler(database)


class Bench:
    """A dispatch at work."""

    def __init__(self, dispatch: Dispatch, database: Database, task: "asyncio.Task[None]") -> None:
        self.dispatch = dispatch
        self.task = task
        self.told: list[list[NewUpdate]] = []
        self._database = database

    async def store(self, *raw: dict[str, Any]) -> None:
        rows = [row for update in raw if (row := to_inbox(update)) is not None]
        await self.dispatch.add(lambda conn: inbox.add_updates(conn, rows, 0), self.told.append)

    async def row(self, update_id: int) -> InboxRow:
        row = await self._database.read(lambda conn: inbox.get(conn, update_id))
        assert row is not None
        return row

    async def idle(self) -> None:
        """Wait until what has begun has ended."""
        await self.dispatch.wait_idle()

    async def claimed(self) -> None:
        """Wait until no claim is under way or due: one leaves the updates that are stored meanwhile to the next."""
        while self.dispatch._claiming.locked() or self.dispatch.arrived.is_set:  # noqa: ASYNC110  two conditions
            await asyncio.sleep(0)


@pytest.fixture
async def bench(database: Database, handler: Handler) -> AsyncIterator[Callable[..., Bench]]:
    async with AsyncExitStack() as stack:
        bot = await stack.enter_async_context(Bot("42:TEST"))

        def start(most_parallel: int = 8) -> Bench:
            dispatch = Dispatch(
                bot,
                handler,
                database,
                ManualClock(),
                most_parallel=most_parallel,
                most_attempts=2,
                empty=Relevance(42, "demo_bot").empty_irrelevant,
            )
            task = asyncio.create_task(dispatch.run())
            stack.push_async_callback(lambda: asyncio.wait([task]))
            stack.callback(task.cancel)
            return Bench(dispatch, database, task)

        yield start


Start = Callable[..., Bench]


async def test_the_topics_of_one_chat_leave_places_to_others(bench: Callable[..., Bench], handler: Handler) -> None:
    handler.gate = asyncio.Event()
    b = bench(8)
    topics = [said(number) for number in range(1, 11)]
    for update in topics:
        update["message"] |= {"message_thread_id": update["update_id"], "is_topic_message": True}
    await b.store(*topics)
    await b.store(said(20, chat=8))
    await handler.wait_for(3)
    assert sorted(handler.came) == [1, 2, 20]
    handler.gate.set()
    await handler.wait_for(11)
    await b.idle()
    assert handler.most <= 3


async def test_what_aiogram_can_not_read_is_put_aside(bench: Start, handler: Handler) -> None:
    it = bench()
    await it.store({"update_id": 1, "message": {"message_id": "x", "chat": {"id": 7}}}, said(2))
    await handler.wait_for(1)
    await it.idle()
    row = await it.row(1)
    assert (row.state, (await it.row(2)).state) == ("quarantined", "done")
    assert row.error is not None
    assert row.error.startswith("ValidationError: ")
    assert json.loads(row.payload) == {"update_id": 1}, "nobody who may use the bot has sent it"


@pytest.mark.parametrize("error", [RuntimeError("in a validator"), RecursionError(), KeyError()])
async def test_reading_may_fail_in_any_way(
    bench: Start, handler: Handler, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    validate = Update.model_validate

    def failing(raw: Any, **options: Any) -> Update:
        if raw["update_id"] == 1:
            raise error
        return validate(raw, **options)

    monkeypatch.setattr(Update, "model_validate", failing)
    it = bench()
    await it.store(said(1), said(2, chat=8))
    await handler.wait_for(1)
    await it.idle()
    assert handler.came == [2]
    assert (await it.row(1)).state == "quarantined"
    assert type(error).__name__ in ((await it.row(1)).error or "")


async def test_a_kind_that_was_not_asked_for_is_done_at_once(bench: Start, handler: Handler) -> None:
    it = bench()
    await it.store({"update_id": 1, "poll_answer": {}}, said(2))
    await handler.wait_for(1)
    await it.idle()
    assert (await it.row(1)).state == "done"
    assert handler.came == [2]


async def test_an_error_outside_of_the_middlewares_fails_its_update_alone(bench: Start, handler: Handler) -> None:
    handler.errors[1] = ValueError("bang")
    it = bench()
    await it.store(said(1), said(2))
    await handler.wait_for(2)
    await it.idle()
    row = await it.row(1)
    assert (row.state, row.error) == ("failed", "ValueError")
    assert not it.task.done()


async def test_an_update_that_waits_for_an_approval_at_shutdown_is_queued_again_and_its_attempt_not_counted(
    bench: Start, handler: Handler
) -> None:
    handler.gate = asyncio.Event()
    handler.errors[1] = PutBack()
    it = bench()
    await it.store(said(1))
    await handler.wait_for(1)
    it.dispatch.stop_accepting()
    handler.gate.set()
    await it.idle()
    row = await it.row(1)
    assert (row.state, row.attempts, row.crashes, row.error) == ("queued", 0, 0, None)
    assert handler.came == [1]


async def test_trouble_with_the_database_ends_it(bench: Start, handler: Handler) -> None:
    handler.errors[1] = DatabaseError("the disk is full")
    it = bench()
    await it.store(said(1))
    await asyncio.wait([it.task])
    with pytest.raises(ExceptionGroup) as caught:
        await it.task
    assert caught.group_contains(DatabaseError, match="disk is full")


async def test_what_is_claimed_while_it_ends_comes_back_with_the_next_start(bench: Start, handler: Handler) -> None:
    """The moment between the trouble and the end of what else runs is one round of the loop."""
    it, failed, told = bench(), asyncio.Event(), list[BaseException]()

    def claim() -> None:
        try:
            it.dispatch._begin(_Claimed([claimed], queued=False))
        except RuntimeError as error:
            told.append(error)

    async def fail(*_: object, **__: object) -> None:
        loop = asyncio.get_running_loop()
        for rounds in range(3):
            later(loop, rounds, claim)
        failed.set()
        raise DatabaseError("the disk is full")

    await it.store(said(1))
    await handler.wait_for(1)
    await it.idle()
    claimed = await it.row(1)
    handler.feed_update = fail
    await it.store(said(2))
    await failed.wait()
    await asyncio.wait([it.task])
    assert told == []
    assert handler.came == [1]
    assert it.task.exception() is not None


def later(loop: asyncio.AbstractEventLoop, rounds: int, call: Callable[[], None]) -> None:
    """Call it so many rounds of the loop later than next."""
    loop.call_soon(partial(later, loop, rounds - 1, call) if rounds else call)


async def test_so_many_lanes_run_at_once_and_controls_come_on_top(bench: Start, handler: Handler) -> None:
    handler.gate = asyncio.Event()
    it = bench(most_parallel=2)
    await it.store(*[said(number, chat=number) for number in range(1, 6)])
    await handler.wait_for(2)
    await it.store(said(9, chat=1, text="/stop"))
    await handler.wait_for(3)
    assert sorted(handler.came) == [1, 2, 9]
    handler.gate.set()
    await handler.wait_for(6)
    await it.idle()
    assert handler.most <= 3
    assert sorted(handler.came[3:]) == [3, 4, 5]


async def test_one_chat_keeps_its_order(bench: Start, handler: Handler) -> None:
    handler.gate = asyncio.Event()
    it = bench()
    await it.store(said(1), said(2), said(3, chat=8))
    await handler.wait_for(2)
    assert sorted(handler.came) == [1, 3]
    handler.gate.set()
    await handler.wait_for(3)
    await it.idle()
    assert (await it.row(2)).state == "done"


async def test_after_the_intake_has_ended_only_controls_begin(bench: Start, handler: Handler) -> None:
    it = bench()
    it.dispatch.stop_accepting()
    await it.store(said(1), said(2, text="/stop"))
    await handler.wait_for(1)
    await it.dispatch.wait_idle()
    assert handler.came == [2]
    assert (await it.row(1)).state == "queued"


async def test_what_comes_while_others_are_claimed_begins_too(
    bench: Start, handler: Handler, database: Database
) -> None:
    go_on = threading.Event()
    before = asyncio.create_task(database.write(lambda _: go_on.wait(30)))
    it = bench()
    storing = [asyncio.create_task(it.store(said(number, chat=number))) for number in (1, 2, 3)]
    await asyncio.wait(storing, timeout=0)
    go_on.set()
    assert await before
    await asyncio.gather(*storing)
    await handler.wait_for(3)
    await it.idle()
    assert [update.update_id for new in it.told for update in new] == [1, 2, 3]
    assert sorted(handler.came) == [1, 2, 3]


async def test_what_is_stored_is_told_before_it_begins(bench: Start, handler: Handler) -> None:
    it = bench()
    begun: list[int] = []
    rows = [row for row in (to_inbox(said(1)),) if row is not None]
    await it.dispatch.add(lambda conn: inbox.add_updates(conn, rows, 0), lambda _: begun.extend(handler.came))
    await handler.wait_for(1)
    await it.idle()
    assert begun == []


@pytest.mark.sqlite  # on a server it stays in the queue, for other replicas
async def test_what_is_claimed_after_the_end_comes_back_with_the_next_start(
    bench: Start, handler: Handler, database: Database
) -> None:
    it = bench()
    await it.store(said(1))
    await handler.wait_for(1)
    await it.idle()
    it.task.cancel()
    await asyncio.wait([it.task])
    await it.store(said(2))
    assert handler.came == [1]
    recovered = await database.write(lambda conn: inbox_recovery.recover(conn, 0, max_attempts=2))
    assert recovered.requeued == 1


@pytest.mark.sqlite  # as above
async def test_what_is_claimed_while_nothing_runs_is_waited_for(bench: Start, handler: Handler) -> None:
    inside, go_on = threading.Event(), threading.Event()
    it = bench()
    await it.store(said(1))
    await handler.wait_for(1)
    await it.idle()
    rows = [row for row in (to_inbox(said(2)),) if row is not None]
    await it.claimed()

    def slow(conn: Connection) -> list[NewUpdate]:
        inside.set()
        assert go_on.wait(30)
        return inbox.add_updates(conn, rows, 0)

    storing = asyncio.create_task(it.dispatch.add(slow, it.told.append))
    await asyncio.to_thread(inside.wait, 30)
    storing.cancel()
    await asyncio.wait([storing])
    it.dispatch.stop_accepting()
    idle = asyncio.create_task(it.dispatch.wait_idle())
    await asyncio.wait([idle], timeout=0)
    go_on.set()
    await idle
    assert handler.came == [1, 2]
    assert (await it.row(2)).state == "done"


async def test_what_ran_when_it_was_cancelled_comes_back(bench: Start, handler: Handler, database: Database) -> None:
    handler.gate = asyncio.Event()
    it = bench()
    await it.store(said(1))
    await handler.wait_for(1)
    it.task.cancel()
    await asyncio.wait([it.task])
    assert it.task.cancelled()
    assert (await it.row(1)).state == "running"
    recovered = await database.write(
        lambda conn: inbox_recovery.recover(conn, 0, max_attempts=2, leaving=database.member_id)
    )
    assert recovered.requeued == 1


@pytest.mark.sqlite  # on a server the commit itself waits for the disk
async def test_updates_start_at_the_commit_and_are_confirmed_when_they_are_on_the_disk(
    bench: Start, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = bench()
    await it.store(said(1))
    await handler.wait_for(1)
    await it.idle()
    await it.claimed()
    synced = asyncio.Event()
    monkeypatch.setattr(Database, "sync", lambda _: synced.wait())
    storing = asyncio.create_task(it.store(said(2)))
    await handler.wait_for(2)
    await it.idle()
    assert not storing.done()
    synced.set()
    await storing


@pytest.mark.sqlite  # as above
@pytest.mark.parametrize("is_claiming", [False, True])
async def test_what_comes_again_is_confirmed_when_it_is_on_the_disk(
    bench: Start, handler: Handler, monkeypatch: pytest.MonkeyPatch, *, is_claiming: bool
) -> None:
    """The first commit may not be there yet, and one without a change synchronises nothing."""
    it = bench()
    await it.store(said(1))
    await handler.wait_for(1)
    await it.idle()
    await it.claimed()
    synced = asyncio.Event()
    monkeypatch.setattr(Database, "sync", lambda _: synced.wait())
    async with AsyncExitStack() as stack:
        if is_claiming:
            await stack.enter_async_context(it.dispatch._claiming)
        before = len(it.told)
        storing = asyncio.create_task(it.store(said(1)))
        while len(it.told) == before:  # noqa: ASYNC110  a list
            await asyncio.sleep(0)
        await it.idle()
        assert not storing.done()
        synced.set()
        await storing


@pytest.mark.sqlite  # as above
@pytest.mark.parametrize("error", [asyncio.CancelledError, DatabaseError])
async def test_what_is_not_on_the_disk_is_not_confirmed(
    bench: Start, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    it = bench()

    async def failing(_: Database) -> None:
        raise error

    monkeypatch.setattr(Database, "sync", failing)
    with pytest.raises(error):
        await it.store(said(1))


async def test_an_error_after_the_commit_keeps_no_update_from_its_start(bench: Start, handler: Handler) -> None:
    it = bench()
    await it.store(said(1))
    await handler.wait_for(1)
    await it.idle()
    await it.claimed()
    row = to_inbox(said(2))
    assert row is not None

    def stored(_: object) -> None:
        raise ValueError("after the commit")

    with pytest.raises(ValueError, match="after the commit"):
        await it.dispatch.add(lambda conn: inbox.add_updates(conn, [row], 0), stored)
    await handler.wait_for(2)
    await it.idle()
    assert (await it.row(2)).state == "done"
