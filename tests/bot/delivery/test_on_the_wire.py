"""A row is being sent only while its call is made; what waits for the rate limits is ready, so a kill costs nothing."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot_support import from_bot, is_notice
from shared_clock_support import SharedClock, calls_under_way
from tgllm.bot.delivery.rows import message_rows
from tgllm.db.tables import outbox
from tgllm.services.common.lane import Lane
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import Emulator, Fault, RateLimits

PEOPLE = 12
EACH = 8
MOST_LOOKS = 20_000
"""Looks at the database in which a row is being sent and no call is under way: between the two only commits happen."""


class Watched:
    """Lets time pass only while no row is being sent."""

    def __init__(self, calls: set[int], path: Path) -> None:
        self._calls = calls
        self._path = path
        self._looks = 0

    def is_busy(self) -> bool:
        if self._calls or not self._is_sending():
            self._looks = 0
            return bool(self._calls)
        self._looks += 1
        assert self._looks < MOST_LOOKS, "a row is being sent, and no call is made"
        return True

    def _is_sending(self) -> bool:
        if not self._path.exists():
            return False
        conn = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
        try:
            return bool(conn.execute("SELECT count(*) FROM outbox WHERE state = 'sending'").fetchone()[0])
        except sqlite3.OperationalError:
            # The table is not there yet.
            return False
        finally:
            conn.close()


@pytest.fixture
async def clock() -> SharedClock:
    return SharedClock()


@pytest.fixture
async def emu(clock: SharedClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Emulator]:
    watched = Watched(calls_under_way(monkeypatch), tmp_path / "tgllm.db")
    async with Emulator(clock=clock, rate_limits=RateLimits()) as emulator, asyncio.TaskGroup() as group:
        running = group.create_task(clock.run(watched.is_busy))
        yield emulator
        running.cancel()


@pytest.mark.once
@pytest.mark.timeout(300)
async def test_nothing_is_being_sent_while_it_waits_for_the_limits(
    emu: Emulator, clock: SharedClock, tmp_path: Path
) -> None:
    people = [emu.add_user(first_name=f"P{number}") for number in range(PEOPLE)]
    group = emu.add_group(title="Team", members=people, is_forum=True)
    topics = [emu.add_topic(group, f"Topic {number}") for number in range(4)]
    lanes = [*[Lane(person.id) for person in people], *[Lane(group.id, topic.id) for topic in topics]]
    rows = [row for number in range(EACH) for lane in lanes for row in message_rows(lane, f"text {number}")]
    emu.faults.add(Fault.retry_after("sendMessage", 5, chat_id=people[0].id))
    admins = [person.id for person in people]
    async with running_bot(emu, tmp_path, admins=admins, clock=clock, sending__paced=True) as bot:
        await bot.core.database.write(lambda conn: outbox.add(conn, rows, 1))
        chats = [*[person.private_chat() for person in people], group]
        await emu.wait_for(lambda: sum(len(from_bot(chat)) for chat in chats) == len(rows), timeout=240)
    for person in people:
        assert person.private_chat().bot_texts == [f"text {number}" for number in range(EACH)]
    for topic in topics:
        assert [message.text for message in from_bot(group) if message.topic == topic] == [
            f"text {number}" for number in range(EACH)
        ]
    # Telegram has asked to wait once, for the fault.
    assert emu.rates.violations == 0
    assert sum(call.error is not None for call in emu.journal if call.method == "sendMessage") == 1
    assert not any(is_notice(message) for person in people for message in person.private_chat().messages)
