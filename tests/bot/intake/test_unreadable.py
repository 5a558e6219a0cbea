"""One update that can't be decoded or stored stops nothing: the others are answered, and the admins are told once."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from bot_support import HastyClock, Start
from tgllm.bot.intake.store import Intake
from tgllm.bot.intake.unreadable import TELL_EVERY
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow
from tgllm.services.common import reception
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.users import EmulatedUser

Make = Callable[[int], bytes]


def wrong(value: bytes) -> Make:
    """A message of Ann with that value in it."""
    return lambda number: (
        b'{"update_id":%d,"message":{"message_id":900,"date":1,"chat":{"id":1001,"type":"private","first_name":"Ann"},'
        b'"from":{"id":1001,"is_bot":false,"first_name":"Ann"},"text":"secret words","x":%s}}' % (number, value)
    )


BAD = {
    "NaN": wrong(b"NaN"),
    "-Infinity": wrong(b"-Infinity"),
    "1e999": wrong(b"1e999"),
    "-1e999": wrong(b"-1e999"),
    "201 lists": wrong(b"[" * 201 + b"]" * 201),
    "990 lists": wrong(b"[" * 990 + b"]" * 990),
    "990 objects": wrong(b'{"x":' * 990 + b"1" + b"}" * 990),
    "100000 lists": wrong(b"[" * 100_000 + b"]" * 100_000),
    "5000 digits": wrong(b"9" * 5000),
}
ENDLESS = {
    "no end": wrong(b'"'),
    "no end of a list": wrong(b"["),
    "no value": lambda number: b'{"update_id":%d,"message":' % number,
    "no id": lambda _: b'{"message":"',
    "half an id": lambda _: b'{"update_id":',
}
"""The rest of the response can't be read after one of these."""


async def row_of(bot: RunningBot, update_id: int) -> InboxRow:
    row = await bot.core.database.read(lambda conn: inbox.get(conn, update_id))
    assert row is not None
    return row


def notices(user: EmulatedUser) -> list[str]:
    return [text for text in user.private_chat().bot_texts if text.startswith("⚠️")]


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
async def test_its_neighbours_are_answered(emu: Emulator, ann: EmulatedUser, start: Start, make: Make) -> None:
    await ann.say("before")
    bad = emu.inject_bytes(make)
    await ann.say("after")
    async with start() as bot:
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "after")
        row = await row_of(bot, bad)
        await emu.wait_for(lambda: notices(ann) and not emu.bot.queue.pending)
        await bot.stop()
    assert [text for text in ann.private_chat().bot_texts if text in {"before", "after"}] == ["before", "after"]
    assert (row.state, json.loads(row.payload)) == ("quarantined", {"update_id": bad})
    assert row.error
    assert "secret" not in row.error
    assert len(notices(ann)) == 1


@pytest.mark.parametrize("make", ENDLESS.values(), ids=ENDLESS.keys())
async def test_what_spoils_the_whole_response_is_skipped_alone(
    emu: Emulator, ann: EmulatedUser, start: Start, make: Make
) -> None:
    await ann.say("before")
    bad = emu.inject_bytes(make)
    await ann.say("after")
    async with start(clock=HastyClock()) as bot:
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "after")
        await emu.wait_for(lambda: notices(ann) and not emu.bot.queue.pending)
        row = await row_of(bot, bad)
        await bot.stop()
    assert (row.state, json.loads(row.payload)) == ("quarantined", {"update_id": bad})
    limits = [call.params["limit"] for call in emu.journal.of("getUpdates")]
    assert 1 in limits
    assert limits[-1] == 100


NO_OBJECTS = [b"NaN", b"1e999", b"nul", b"\x00\xff", b"<html>", b'"no end', b"-", b"[" * 100_000 + b"]" * 100_000]


@pytest.mark.parametrize("entry", NO_OBJECTS, ids=lambda entry: repr(entry[:8]))
async def test_what_is_no_object_does_not_stop_a_quiet_bot(
    emu: Emulator, ann: EmulatedUser, start: Start, entry: bytes
) -> None:
    async with start(clock=HastyClock()):
        await ann.say("before")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "before")
        # It is alone until the bot fetches the updates one by one.
        emu.inject_bytes(lambda _: entry)
        await emu.wait_for(lambda: any(call.params["limit"] == 1 for call in emu.journal.of("getUpdates")))
        await ann.say("after")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "after")


async def test_many_in_a_row_are_fetched_one_by_one(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    await ann.say("before")
    bad = [emu.inject_bytes(make) for make in (*ENDLESS.values(), *ENDLESS.values())]
    await ann.say("after")
    async with start(clock=HastyClock()) as bot:
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "after")
        states = [(await row_of(bot, number)).state for number in bad]
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        await bot.stop()
    assert states == ["quarantined"] * len(bad)
    requests = [call.params["limit"] for call in emu.journal.of("getUpdates")]
    # Three requests for each, and what is needed to find out that the updates are fetched one by one.
    assert requests.count(1) <= 3 * len(bad) + 1
    assert requests.count(100) <= 5


async def test_many_are_told_once(emu: Emulator, ann: EmulatedUser, start: Start, clock_of: "Clocks") -> None:
    clock = clock_of()
    async with start(clock=clock) as bot:
        await ann.say("opens the chat")
        await emu.wait_for_message(ann.private_chat())
        for _ in range(3):
            emu.inject_bytes(BAD["NaN"])
            await emu.wait_for(lambda: not emu.bot.queue.pending)
        await emu.wait_for(lambda: notices(ann))
        emu.inject_bytes(BAD["NaN"])
        emu.inject_bytes(BAD["1e999"])
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        assert len(notices(ann)) == 1
        clock.later = TELL_EVERY / 1000
        await ann.say("hello")
        await emu.wait_for(lambda: len(notices(ann)) == 2)
        await bot.stop()
    assert "1 update " in notices(ann)[0]
    assert "4 updates " in notices(ann)[1]


async def test_a_bad_update_that_comes_again_is_no_news(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start():
        emu.inject_bytes(BAD["NaN"])
        await emu.wait_for(lambda: notices(ann))
        emu.repeat_update()
        await ann.say("hello")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "hello" and message.from_bot)
    async with start() as bot:
        emu.repeat_update()
        await ann.say("again")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "again" and message.from_bot)
        assert await bot.core.database.read(inbox.counts) == {"quarantined": 1, "done": 2}
    assert len(notices(ann)) == 1


ODD_IDS: list[Any] = [True, None, -5, 2**70, 1.5, "x", [], {}]


@pytest.mark.parametrize("odd", ODD_IDS, ids=repr)
async def test_an_update_without_a_usable_id_harms_no_other(
    emu: Emulator, ann: EmulatedUser, start: Start, odd: object
) -> None:
    async with start(clock=HastyClock()):
        emu.inject_bytes(lambda _: json.dumps({"update_id": odd, "message": {"text": "x"}}).encode())
        await ann.say("after")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "after")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        emu.inject_bytes(lambda _: json.dumps({"update_id": odd, "message": {"text": "x"}}).encode())
        await emu.wait_for(lambda: not emu.bot.queue.pending)


@pytest.mark.parametrize("entry", [b"1", b"null", b'"x"', b"[]", b"true", b"{}"], ids=bytes.decode)
async def test_an_entry_that_is_no_update_is_skipped(
    emu: Emulator, ann: EmulatedUser, start: Start, entry: bytes
) -> None:
    async with start(clock=HastyClock()):
        await ann.say("before")
        await emu.wait_for_message(ann.private_chat())
        emu.inject_bytes(lambda _: entry)
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        await ann.say("after")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "after")


@pytest.mark.parametrize("as_id", [str, float], ids=["text", "float"])
async def test_an_id_that_is_written_in_another_way_counts(
    emu: Emulator, ann: EmulatedUser, start: Start, as_id: Callable[[int], object]
) -> None:
    chat = {"id": ann.id, "type": "private", "first_name": "Ann"}
    sender = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
    message = {"message_id": 900, "date": 1, "chat": chat, "from": sender, "text": "odd"}
    async with start():
        emu.inject_bytes(lambda number: json.dumps({"update_id": as_id(number), "message": message}).encode())
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "odd")
        await emu.wait_for(lambda: not emu.bot.queue.pending)


RESPONSES = {
    "empty": b"",
    "page": b"<html><body>Sign in to the hotel's network</body></html>",
    "null": b'{"ok":true,"result":null}',
    "object": b'{"ok":true,"result":{}}',
    "text": b'{"ok":true,"result":"x"}',
    "number": b'{"ok":true,"result":5}',
    "nothing": b'{"ok":true}',
    "not ok": b'{"ok":false}',
    "list": b"[]",
    "truncated": b'{"ok":true,"res',
    "nested": b'{"ok":true,"result":' + b"[" * 100_000,
    "binary": b"\xff\xfe\x00",
    "large": b" " * (17 * 1024 * 1024),
}


@pytest.mark.parametrize("body", RESPONSES.values(), ids=RESPONSES.keys())
async def test_a_response_that_is_none_loses_nothing(
    emu: Emulator, ann: EmulatedUser, start: Start, body: bytes
) -> None:
    async with start(clock=HastyClock()) as bot:
        fault = emu.faults.add(Fault.raw("getUpdates", body, times=8))
        for word in ("one", "two"):
            await ann.say(word)
        await emu.wait_for(lambda: fault.hits == 8)
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "two")
        assert await bot.core.database.read(inbox.counts) == {"done": 2}
    assert ann.private_chat().bot_texts == ["one", "two"]


async def test_a_response_that_is_said_to_be_compressed_and_is_not(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    headers = {"Content-Type": "application/json; charset=klingon", "Content-Encoding": "gzip"}
    async with start(clock=HastyClock()):
        fault = emu.faults.add(Fault.raw("getUpdates", b"{}", times=3, headers=headers))
        await emu.wait_for(lambda: fault.hits == 3)
        await ann.say("hello")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "hello")


async def test_a_response_that_is_repeated_without_end_is_not_asked_for_without_a_pause(
    emu: Emulator, ann: EmulatedUser, start: Start, clock_of: "Clocks"
) -> None:
    clock = clock_of()
    async with start(clock=clock):
        await ann.say("hello")
        await emu.wait_for_message(ann.private_chat())
        old = json.dumps({"ok": True, "result": [{"update_id": 1, "message": {"text": "hi"}}]}).encode()
        fault = emu.faults.add(Fault.raw("getUpdates", old, times=12))
        await ann.say("wakes the poll")
        await emu.wait_for(lambda: fault.hits == 12)
        assert sum(seconds >= 0.5 for seconds in clock.slept) >= 9
        await emu.wait_for_message(
            ann.private_chat(), lambda message: message.from_bot and message.text == "wakes the poll"
        )


async def test_a_row_that_the_database_refuses_is_quarantined_alone(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Intake._store

    def refuse(self: Intake, conn: Connection, updates: Any, now: int) -> Any:
        if any("poison" in update.payload for update in updates):
            conn.execute("INSERT INTO kv VALUES ('s', 'k', 'no JSON', 1)")
        return store(self, conn, updates, now)

    monkeypatch.setattr(Intake, "_store", refuse)
    for text in ("one", "poison", "two"):
        await ann.say(text)
    async with start() as bot:
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "two")
        await emu.wait_for(lambda: notices(ann))
        assert await bot.core.database.read(inbox.counts) == {"quarantined": 1, "done": 2}
    assert [text for text in ann.private_chat().bot_texts if text in {"one", "two"}] == ["one", "two"]


async def test_what_a_failed_attempt_has_stored_is_on_the_disk_before_it_is_confirmed(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, failures = Intake._stored, [ValueError("after the commit")]
    reached, synced = asyncio.Event(), asyncio.Event()

    def failing(self: Intake, arrived: Any) -> None:
        if failures:
            raise failures.pop()
        stored(self, arrived)

    async def sync(_: Database) -> None:
        reached.set()
        await synced.wait()

    monkeypatch.setattr(Intake, "_stored", failing)
    monkeypatch.setattr(Database, "sync", sync)
    await ann.say("one")
    async with start():
        await reached.wait()
        assert not failures
        assert emu.bot.queue.pending
        synced.set()
        await emu.wait_for(lambda: not emu.bot.queue.pending)


async def test_the_bot_is_not_ready_while_nothing_gets_through(
    emu: Emulator, ann: EmulatedUser, start: Start, clock_of: "Clocks"
) -> None:
    clock = clock_of()

    async def failing(bot: RunningBot) -> reception.Failing | None:
        now = int(clock.now() * 1000)
        return await bot.core.database.read(lambda conn: reception.failing(conn, now))

    async with start(clock=clock) as bot:
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat())
        assert await failing(bot) is None
        fault = emu.faults.add(Fault.raw("getUpdates", b"<html>", times=None))
        await ann.say("wakes the poll")
        await emu.wait_for(lambda: fault.hits > 2)
        assert await failing(bot) is None, "a short failure is common"
        clock.later = reception.NOT_READY_AFTER / 1000
        found = await failing(bot)
        assert found is not None
        assert "JSON" in found.reason or "value" in found.reason
        emu.faults.clear()
        for word in ("one", "two"):
            await ann.say(word)
            await emu.wait_for_message(
                ann.private_chat(), lambda message, word=word: message.from_bot and message.text == word
            )
        assert await failing(bot) is None


class LateClock(HastyClock):
    """A hasty clock that can be set forward, and remembers its pauses."""

    def __init__(self) -> None:
        self.later = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return super().now() + self.later

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds)


Clocks = Callable[[], LateClock]


@pytest.fixture
def clock_of() -> Clocks:
    return LateClock


async def test_an_update_is_confirmed_only_when_it_is_stored(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, reached = asyncio.Event(), asyncio.Event()
    take = Intake.take

    async def slow(self: Intake, batch: Any) -> bool:
        if not batch.is_empty:
            reached.set()
            await go_on.wait()
        return await take(self, batch)

    monkeypatch.setattr(Intake, "take", slow)
    async with start():
        bad = emu.inject_bytes(BAD["NaN"])
        await reached.wait()
        assert [update.update_id for update in emu.bot.queue.pending] == [bad]
        go_on.set()
        await emu.wait_for(lambda: not emu.bot.queue.pending)
