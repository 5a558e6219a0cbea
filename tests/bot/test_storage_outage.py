"""The disk is full, read-only or locked while the bot runs: it stays up, takes nothing new, and goes on by itself."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing

import pytest

from bot_support import HastyClock, Start
from http_support import get
from tgllm.api import DatabaseError
from tgllm.api.clock import SystemClock
from tgllm.bot.intake import storage_outage
from tgllm.db import database as database_module
from tgllm.db.engine.gate import Obstacle
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import known_ids
from tgllm.db.tables import inbox, outbox
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault
from tgllm.testing.scripted import ScriptedProvider

pytestmark = pytest.mark.sqlite  # faults of the disk with the file

LONG = "long question " * 290


class PausedClock(SystemClock):
    """Holds pauses of more than an hour until they may go on."""

    def __init__(self) -> None:
        self.held = False
        self.go_on = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if seconds > 3600:
            self.held = True
            await self.go_on.wait()
        else:
            await super().sleep(seconds)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "RETRY_SECONDS", 0.02)
    monkeypatch.setattr(database_module, "LOCK_SECONDS", 0.02)


async def fill(bot: RunningBot) -> None:
    """Let the database have no further page."""

    def limit(conn: Connection) -> None:
        pages = conn.execute("PRAGMA page_count").fetchone()[0]
        conn.execute(f"PRAGMA max_page_count = {pages}")

    await bot.core.database._writer.outside(lambda session: limit(session.connection))


async def free(bot: RunningBot) -> None:
    await bot.core.database._writer.outside(
        lambda session: session.connection.execute("PRAGMA max_page_count = 1000000").fetchone()
    )


async def protect(bot: RunningBot) -> None:
    await bot.core.database._writer.outside(lambda session: session.connection.execute("PRAGMA query_only = ON"))


async def unprotect(bot: RunningBot) -> None:
    await bot.core.database._writer.outside(lambda session: session.connection.execute("PRAGMA query_only = OFF"))


Act = Callable[[RunningBot], Awaitable[None]]
CAUSES = pytest.mark.parametrize(("begin", "end", "state"), [(fill, free, "full"), (protect, unprotect, "read_only")])


def answers(person: EmulatedUser) -> list[str]:
    return [text for text in person.private_chat().bot_texts if not text.startswith(("⚠️", "✅"))]


def notices(person: EmulatedUser) -> list[str]:
    return [text for text in person.private_chat().bot_texts if text.startswith(("⚠️", "✅"))]


async def answered(emu: Emulator, person: EmulatedUser, count: int) -> None:
    await emu.wait_for(lambda: len(answers(person)) >= count)


@CAUSES
async def test_questions_wait_at_telegram_and_are_answered_once_afterwards(
    emu: Emulator, ann: EmulatedUser, start: Start, begin: Act, end: Act, state: str
) -> None:
    async with start(web__port=0) as bot:
        await ann.say("first")
        await answered(emu, ann, 1)
        await begin(bot)
        await ann.say(LONG)
        await bot.core.database.gate.wait_closed()
        assert bot.core.database.gate.state == state
        await ann.say("while it lasts")
        assert bot.web_port is not None
        page = await get(bot.web_port, "/readyz")
        alive = await get(bot.web_port, "/healthz")
        assert page.status == 503
        assert f"database_{state}" in json.loads(page.body)["checks"]["database"]
        assert alive.status == 200
        await emu.wait_for(lambda: len(notices(ann)) == 1)
        assert emu.bot.queue.pending, "nothing is confirmed that is not stored"
        assert len(answers(ann)) == 1
        await end(bot)
        await answered(emu, ann, 3)
        await emu.wait_for(lambda: len(notices(ann)) == 2)
        assert not bot.task.done()
        page = await get(bot.web_port, "/readyz")
        # One that is not known could be taken for an answer of which it is unknown whether it has arrived.
        known = await bot.core.database.read(lambda conn: known_ids.known_above(conn, known_ids.ACCOUNT, 0))
        assert notices(ann)[0] in {m.text for m in ann.private_chat().messages if m.id in known}
    assert [text.split() for text in answers(ann)] == [["first"], LONG.split(), ["while", "it", "lasts"]]


@CAUSES
async def test_an_answer_that_can_not_be_stored_is_kept_and_sent_without_asking_again(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, begin: Act, end: Act, state: str
) -> None:
    go_on = asyncio.Event()
    provider.answer("Half", go_on, " and the rest " + "x" * 30_000)
    async with start() as bot:
        await ann.say("go")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Half")
        await begin(bot)
        go_on.set()
        await bot.core.database.gate.wait_closed()
        assert answers(ann) == []
        await end(bot)
        await ann.say("next")
        await emu.wait_for(lambda: "next" in answers(ann))
    assert answers(ann)[0].startswith("Half and the rest")
    assert sum("Half" in text for text in answers(ann)) == 1
    assert answers(ann)[-1] == "next"
    assert len(provider.requests) == 2, "the model is not asked again"


async def test_what_was_sent_while_the_disk_filled_up_is_not_sent_twice(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result of a call is kept in memory until it can be recorded, and nothing further is sent meanwhile."""
    broken, mark_sent = asyncio.Event(), outbox.mark_sent

    def no_room(conn: Connection, *args: object) -> None:
        if not broken.is_set():
            raise DatabaseError("The disk is full", code="database_full")
        mark_sent(conn, *args)  # pyright: ignore[reportArgumentType]  passed on as they came

    monkeypatch.setattr(outbox, "mark_sent", no_room)
    async with start() as bot:
        await ann.say("one")
        await bot.core.database.gate.wait_closed()
        await ann.say("two")
        await emu.wait_for(lambda: notices(ann))
        assert answers(ann) == ["one"]
        broken.set()
        await answered(emu, ann, 2)
        await emu.wait_for(lambda: len(notices(ann)) == 2)
        states = await bot.core.database.read(
            lambda conn: {row[0] for row in conn.execute("SELECT state FROM outbox WHERE kind = 'send'")}
        )
    assert answers(ann) == ["one", "two"]
    assert states <= {"sent", "ready", "sending"}


@pytest.mark.parametrize("first", [[], ["before"]], ids=["at the start", "later"])
async def test_a_lock_of_another_process_is_waited_out(
    emu: Emulator, ann: EmulatedUser, start: Start, first: list[str]
) -> None:
    async with start() as bot:
        for text in first:
            await ann.say(text)
            await answered(emu, ann, 1)
        path = bot.core.database.path
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            await ann.say("hello")
            await bot.core.database.gate.wait_closed()
            assert bot.core.database.gate.state == "locked"
            await emu.wait_for(lambda: notices(ann))
            other.execute("ROLLBACK")
        await answered(emu, ann, len(first) + 1)
        await emu.wait_for(lambda: len(notices(ann)) == 2)
    assert answers(ann) == [*first, "hello"]
    assert "locked" in notices(ann)[0]


async def test_a_message_to_the_admins_that_fails_is_sent_again_while_the_outage_lasts(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    bob = emu.add_user(first_name="Bob", language_code="en")
    for person, times in ((ann, 3), (bob, 1)):
        emu.faults.add(Fault.bad_gateway("sendMessage", times=times, chat_id=person.id))
    emu.faults.add(Fault.cut_before("sendMessage", chat_id=ann.id))
    for person in (ann, bob):
        await person.say("/start")
    async with start(admins=[ann.id, bob.id], clock=HastyClock()) as bot:
        await fill(bot)
        await ann.say(LONG)
        await bot.core.database.gate.wait_closed()
        await emu.wait_for(lambda: notices(ann) and notices(bob))
        await free(bot)
        await emu.wait_for(lambda: len(notices(ann)) == len(notices(bob)) == 2)
    assert [text[0] for text in notices(ann) + notices(bob)] == ["⚠", "✅", "⚠", "✅"]


async def test_who_has_blocked_the_bot_is_not_tried_again(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    bob = emu.add_user(first_name="Bob", language_code="en")
    emu.faults.add(Fault.bad_gateway("sendMessage", times=2, chat_id=ann.id))
    forbidden = "Forbidden: bot was blocked by the user"
    emu.faults.add(Fault.api_error("sendMessage", 403, forbidden, times=None, chat_id=bob.id))
    async with start(admins=[ann.id, bob.id], clock=HastyClock()) as bot:
        await fill(bot)
        await ann.say(LONG)
        await emu.wait_for(lambda: notices(ann))
        tried = emu.journal.of("sendMessage", chat_id=bob.id)
        await free(bot)
        await emu.wait_for(lambda: len(notices(ann)) == 2)
    assert len(tried) == 1


async def test_an_outage_soon_after_another_one_is_reported_when_it_lasts(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_outage, "AGAIN_SECONDS", 10_000.0)
    clock = PausedClock()
    async with start(clock=clock) as bot:
        for count in (1, 2):
            await fill(bot)
            await ann.say(LONG)
            await bot.core.database.gate.wait_closed()
            if count == 1:
                await emu.wait_for(lambda: len(notices(ann)) == 1)
            else:
                await emu.wait_for(lambda: clock.held)
                assert len(notices(ann)) == 2, "not again so soon"
                clock.go_on.set()
                await emu.wait_for(lambda: len(notices(ann)) == 3)
            await free(bot)
            await emu.wait_for(lambda count=count: len(notices(ann)) == 2 * count)


async def test_the_admins_are_known_while_nothing_can_be_read(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_outage, "READ_SECONDS", 0.05)
    async with start() as bot:
        await ann.say("first")
        await answered(emu, ann, 1)

        def unreadable(*_: object) -> list[int]:
            raise DatabaseError("it can't be opened", code="database_unreachable")

        with monkeypatch.context() as patch:
            patch.setattr(bot.core.notifier, "chats", unreadable)
            await fill(bot)
            await ann.say(LONG)
            await emu.wait_for(lambda: notices(ann))
        await free(bot)
        await emu.wait_for(lambda: len(notices(ann)) == 2)


@CAUSES
async def test_a_stop_meanwhile_ends_the_bot_and_the_next_start_answers(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    provider: ScriptedProvider,
    begin: Act,
    end: Act,
    state: str,
) -> None:
    go_on = asyncio.Event()
    provider.answer("Half", go_on, "x" * 30_000)
    async with start(turns__stop_timeout=0.1) as bot:
        await ann.say("go")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Half")
        over = list[Obstacle]()
        bot.core.database.gate.listen(lambda _: None, over.append)
        await begin(bot)
        go_on.set()
        await bot.core.database.gate.wait_closed()
        await bot.stop()
    assert answers(ann) == []
    assert over == [], "the disk can't be used yet"
    async with start() as bot:
        await answered(emu, ann, 1)
        assert await bot.core.database.read(inbox.counts) == {"done": 1}
    assert answers(ann) == ["go"]


async def test_the_loss_of_the_file_is_noticed_while_the_disk_is_full(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    with pytest.raises(DatabaseError) as caught:  # noqa: PT012  the bot raises when its block ends
        async with start(database__watch_interval=0.05) as bot:
            await fill(bot)
            await ann.say(LONG)
            await bot.core.database.gate.wait_closed()
            bot.core.database.path.unlink()
            await asyncio.wait([bot.task])
    assert caught.value.code == "database_lost_database"


async def test_damage_ends_the_bot(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    def damaged(*_: object, **_others: object) -> None:
        raise DatabaseError("it is damaged", code="database_corrupt")

    with pytest.MonkeyPatch.context() as patch, pytest.raises(DatabaseError) as caught:  # noqa: PT012  the bot raises when its block ends
        async with start() as bot:
            patch.setattr(inbox, "add_updates", damaged)
            await ann.say("go")
            await asyncio.wait([bot.task])
    assert caught.value.code == "database_corrupt"
    async with start():
        await answered(emu, ann, 1)
    assert answers(ann) == ["go"]
