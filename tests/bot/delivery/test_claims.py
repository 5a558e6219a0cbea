"""Calls that hang take only the places of their kind, and the background gets what answers leave over."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiogram.methods import SendMessage

from bot_support import Start
from database_support import NOW
from tgllm.bot.delivery.claims import PARALLEL_BACKGROUND, PARALLEL_CALLS, Claims
from tgllm.bot.delivery.files import document_payload
from tgllm.bot.telegram.limiter import IN_BACKGROUND, RESERVED, Limiter
from tgllm.bot.telegram.limits.rates import Rates
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import ANSWER, CARD, NOTICE, TIDY, NewOutbox, OutboxRow, Priority
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault

if TYPE_CHECKING:
    from aiogram import Bot


def call(chat_id: int, priority: Priority = NOTICE) -> NewOutbox:
    lane = f":{chat_id}:"
    return NewOutbox(lane=lane, method="sendMessage", chat_id=chat_id, payload={"text": "x"}, priority=priority)


class Telegram:
    """Claims rows and makes their calls, which end at once."""

    def __init__(self, database: Database, clock: ManualClock, rates: Rates) -> None:
        self.database, self.clock = database, clock
        self.limiter = Limiter(rates, clock)
        self.claims = Claims(self.limiter)

    async def add(self, *rows: NewOutbox) -> None:
        await self.database.write(lambda conn: outbox.add(conn, rows, NOW))

    async def claim(self) -> list[OutboxRow]:
        claim = self.claims.prepare(int(self.clock.now() * 1000))
        rows = [*(await self.database.write(claim)).rows]
        for row in rows:
            assert self.claims.begin(row) is None
        return rows

    async def send(self, rows: list[OutboxRow]) -> None:
        for row in rows:
            token = IN_BACKGROUND.set(row.priority in outbox.BACKGROUND)
            RESERVED.set(True)
            assert row.chat_id is not None
            await self.limiter(cast("Any", _taken), cast("Bot", None), SendMessage(chat_id=row.chat_id, text="x"))
            IN_BACKGROUND.reset(token)
            self.claims.end(row)
        await self.database.write(lambda conn: outbox.mark_sent(conn, [(row.id, 1) for row in rows], 1))


async def _taken(_bot: object, _method: object) -> bool:
    return True


@pytest.fixture
def unlimited(database: Database, clock: ManualClock) -> Telegram:
    return Telegram(database, clock, Rates(overall=0, private=0, group_per_minute=0))


@pytest.fixture
def limited(database: Database, clock: ManualClock) -> Telegram:
    return Telegram(database, clock, Rates())


async def test_each_kind_has_places_of_its_own(unlimited: Telegram) -> None:
    priorities: tuple[Priority, ...] = (NOTICE, TIDY, ANSWER)
    await unlimited.add(*[call(1000 * kind + chat, kind) for kind in priorities for chat in range(1, 100)])
    taken = await unlimited.claim()
    assert len(taken) == PARALLEL_CALLS
    assert sum(row.priority == NOTICE for row in taken) == PARALLEL_BACKGROUND
    assert {row.priority for row in taken} == {ANSWER, TIDY, NOTICE}
    assert await unlimited.claim() == []


async def test_a_chat_in_which_people_talk_gets_a_card_at_times(limited: Telegram, clock: ManualClock) -> None:
    await limited.add(*[call(1, CARD) for _ in range(20)])
    order: list[Priority] = []
    for number in range(60):
        await limited.add(call(1, ANSWER))
        # There is an answer as soon as the chat has room for one.
        while not order or order.count(ANSWER) <= number:
            rows = await limited.claim()
            order += [row.priority for row in rows]
            await limited.send(rows)
            await clock.advance(0.1)
    assert order.count(ANSWER) == 60
    # One at first, and then one in a quarter of a minute.
    assert 4 <= order.count(CARD) <= 6


async def test_a_quiet_chat_gets_cards_that_leave_room_for_answers(limited: Telegram, clock: ManualClock) -> None:
    await limited.add(*[call(1, CARD) for _ in range(5)])
    rows = await limited.claim()
    assert len(rows) == 1
    await limited.send(rows)
    assert await limited.claim() == []
    assert limited.limiter.background_wait() == pytest.approx(1)
    await clock.advance(1)
    assert len(await limited.claim()) == 1


async def test_without_answers_the_background_uses_all_but_a_reserve(limited: Telegram, clock: ManualClock) -> None:
    await limited.add(*[call(chat) for chat in range(1, 500)])
    sent = 0
    for _ in range(100):
        rows = await limited.claim()
        sent += len(rows)
        await limited.send(rows)
        assert limited.limiter.wait_for(999) == 0
        await clock.advance(0.1)
    assert 270 <= sent <= 280 + 28


async def test_while_people_are_answered_the_background_gets_a_third(limited: Telegram, clock: ManualClock) -> None:
    await limited.add(call(5000, ANSWER))
    await limited.send(await limited.claim())
    await limited.add(*[call(chat) for chat in range(1, 500)])
    counts = dict.fromkeys((ANSWER, NOTICE), 0)
    for second in range(10):
        await limited.add(*[call(1000 + number, ANSWER) for number in range(5)])
        for _ in range(10):
            rows = await limited.claim()
            for row in rows:
                counts[row.priority if row.priority == ANSWER else NOTICE] += 1
            await limited.send(rows)
            await clock.advance(0.1)
        assert counts[ANSWER] == 5 * (second + 1)
    assert 85 <= counts[NOTICE] <= 28 / 3 * 10 + 5


async def test_no_number_of_answers_stops_the_background(limited: Telegram, clock: ManualClock) -> None:
    await limited.add(*[call(chat) for chat in range(1, 100)])
    counts = dict.fromkeys((ANSWER, NOTICE), 0)
    for number in range(100):
        # As many as the rate allows, each to another chat.
        await limited.add(*[call(1000 + 3 * number + each, ANSWER) for each in range(3)])
        rows = await limited.claim()
        sending = limited.send(rows)
        counts[ANSWER] += sum(row.priority == ANSWER for row in rows)
        counts[NOTICE] += sum(row.priority == NOTICE for row in rows)
        await finished(sending, clock)
        await clock.advance(0.05)
    assert counts[ANSWER] == 300
    assert counts[NOTICE] >= 20


async def finished(sending: Coroutine[Any, Any, None], clock: ManualClock) -> None:
    """Let time pass until the calls are made."""
    task = asyncio.create_task(sending)
    while not task.done():
        await clock.advance(0.01)
    await task


async def test_what_waits_for_the_limiter_is_said(limited: Telegram) -> None:
    await limited.add(call(1, CARD), call(1, CARD))
    await limited.send(await limited.claim())
    found = await limited.database.write(limited.claims.prepare(NOW))
    assert (found.rows, found.background, found.due, found.pending) == ([], True, None, True)


async def test_no_more_is_claimed_than_may_be_sent_now(limited: Telegram, clock: ManualClock) -> None:
    await limited.add(*[call(chat, ANSWER) for chat in range(1, 40)])
    rows = await limited.claim()
    assert [row.chat_id for row in rows] == list(range(1, 29))
    found = await limited.database.write(limited.claims.prepare(NOW))
    assert (found.rows, found.waits, found.due, found.pending) == ([], True, None, True)
    assert limited.claims.pause(found, NOW / 1000) == pytest.approx(1 / 28)
    await clock.advance(0.5)
    assert len(await limited.claim()) == 11


async def test_topics_share_the_room_of_their_group(limited: Telegram, clock: ManualClock) -> None:
    group = -100
    await limited.add(*[replace(call(group, ANSWER), lane=f":{group}:{topic}") for topic in range(1, 6)])
    rows = await limited.claim()
    assert len(rows) == 3
    found = await limited.database.write(limited.claims.prepare(NOW))
    assert (found.rows, found.waiting_chats, found.waits, found.due) == ([], {group}, False, None)
    assert limited.claims.pause(found, NOW / 1000) == 3
    await clock.advance(3)
    assert len(await limited.claim()) == 1


async def test_room_that_was_used_since_the_claim_leaves_the_row_to_later(limited: Telegram) -> None:
    await limited.add(call(1, ANSWER))
    claim = limited.claims.prepare(NOW)
    for _ in range(3):
        assert limited.limiter.reserve(1)
    (row,) = (await limited.database.write(claim)).rows
    assert limited.claims.begin(row) == 0
    assert not limited.claims.under_way
    await limited.database.write(lambda conn: outbox.release(conn, row.id, NOW))
    stored = await limited.database.read(lambda conn: outbox.get(conn, row.id))
    assert stored is not None
    assert (stored.state, stored.attempts) == ("ready", 0)


async def test_large_uploads_are_claimed_when_they_may_be_sent(
    limited: Telegram, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(bytes(100_001))
    payload = document_payload(path, "big.bin", kept=True)
    await limited.add(*[replace(call(chat, ANSWER), method="sendDocument", payload=payload) for chat in range(1, 8)])
    found = await limited.database.write(limited.claims.prepare(NOW))
    rows = found.rows
    assert set(found.large) == {row.id for row in rows}
    waits = [limited.claims.begin(row, is_large=True) for row in rows]
    assert waits == [None] * 4 + [pytest.approx(number / 1.5) for number in (1, 2, 3)]
    await clock.advance(2)
    assert [limited.claims.begin(row, is_large=True) for row in rows[4:]] == [None] * 3


@pytest.fixture
def strangers(emu: Emulator) -> list[EmulatedUser]:
    return [emu.add_user(first_name=f"S{number}", language_code="en") for number in range(PARALLEL_CALLS)]


async def test_a_card_that_hangs_delays_no_answer(
    emu: Emulator, start: Start, ann: EmulatedUser, eve: EmulatedUser
) -> None:
    held = emu.faults.add(Fault.hold("sendMessage", chat_id=ann.id))
    async with start():
        await eve.say("/start")
        await held.reached.wait()
        asked = await ann.say("/ping")
        answer = await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot, after=asked)
        assert "asks for access" not in answer.text
        held.release()
        await emu.wait_for_message(ann.private_chat(), lambda message: "asks for access" in message.text)


async def test_calls_to_strangers_that_hang_leave_places_for_answers(
    emu: Emulator, start: Start, ann: EmulatedUser, strangers: list[EmulatedUser]
) -> None:
    faults = [emu.faults.add(Fault.hold("sendMessage", times=None, chat_id=stranger.id)) for stranger in strangers]
    async with start() as bot:
        for stranger in strangers:
            await stranger.say("/start")
        for fault in faults[:PARALLEL_BACKGROUND]:
            await fault.reached.wait()
        asked = await ann.say("/ping")
        await emu.wait_for_message(
            ann.private_chat(), lambda message: message.from_bot and "🔔" not in message.text, after=asked
        )
        assert await bot.core.database.read(under_way) == PARALLEL_BACKGROUND
        for fault in faults:
            fault.release()


def under_way(conn: Connection) -> int:
    query = "SELECT count(*) FROM outbox WHERE state = 'sending' AND priority >= 2"
    return int(conn.execute(query).fetchone()[0])
