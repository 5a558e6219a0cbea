"""A stray request of somebody else is waited out, and of two bots with one token one keeps the updates."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from aiogram.exceptions import TelegramConflictError

from bot_support import HastyClock, Start
from tgllm.api.clock import Clock
from tgllm.bot.intake.conflicts import CALM_SECONDS, GIVE_UP_SECONDS, Conflicts, Rivalry
from tgllm.bot.telegram.failures import TelegramRefused
from tgllm.bot.telegram.get_updates import RawGetUpdates
from tgllm.db.database import Database
from tgllm.db.tables import kv
from tgllm.services.bot_core import BotCore
from tgllm.testing.bot import running_bot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.users import EmulatedUser

pytestmark = pytest.mark.once

WEBHOOK = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


def notices(user: EmulatedUser) -> list[str]:
    return [text for text in user.private_chat().bot_texts if text.startswith("⚠️")]


async def answer(emu: Emulator, ann: EmulatedUser, text: str) -> None:
    await ann.say(text)
    await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == text)


@pytest.mark.parametrize("times", [1, 5])
async def test_a_stray_conflict_is_waited_out_and_told_once(
    emu: Emulator, ann: EmulatedUser, start: Start, times: int
) -> None:
    async with start(clock=HastyClock()):
        await answer(emu, ann, "before")
        fault = emu.faults.add(Fault.conflict(times=times))
        await answer(emu, ann, "wakes the poll")
        await emu.wait_for(lambda: fault.hits == times)
        await answer(emu, ann, "after")
        await emu.wait_for(lambda: notices(ann))
    assert len(notices(ann)) == 1
    assert "Another program" in notices(ann)[0]


async def test_a_conflict_at_the_very_start_is_waited_out(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    emu.faults.add(Fault.conflict())
    async with start(clock=HastyClock()):
        await answer(emu, ann, "hello")


async def test_a_webhook_that_is_set_meanwhile_is_waited_out(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start(clock=HastyClock()):
        await answer(emu, ann, "before")
        fault = emu.faults.add(Fault.api_error("getUpdates", 409, WEBHOOK, times=3))
        await answer(emu, ann, "wakes the poll")
        await emu.wait_for(lambda: fault.hits == 3)
        await answer(emu, ann, "after")
        await emu.wait_for(lambda: notices(ann))
    assert "deleteWebhook" in notices(ann)[0]


def webhook(*, times: int | None) -> Fault:
    return Fault.api_error("getUpdates", 409, WEBHOOK, times=times)


@pytest.mark.parametrize(
    ("fault", "code"), [(Fault.conflict, "already_polled"), (webhook, "webhook_active")], ids=["poller", "webhook"]
)
async def test_a_conflict_that_does_not_end_ends_the_bot_after_minutes(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[..., Fault],
    code: str,
) -> None:
    clock, rest = ManualClock(), Rest(emu, monkeypatch)
    took: list[float] = []

    async def never_ending() -> None:
        async with start(clock=clock) as bot:
            await answer(emu, ann, "before")
            began, rest.pollers = clock.monotonic(), 1
            emu.faults.add(fault(times=None))
            await answer(emu, ann, "wakes the poll")
            while not bot.task.done():
                await step(clock, rest)
            took.append(clock.monotonic() - began)

    with pytest.raises(TelegramRefused) as caught:
        await never_ending()
    assert caught.value.code == code
    assert took[0] >= GIVE_UP_SECONDS
    assert len(notices(ann)) == 1


async def test_who_has_given_up_waits_longer_each_time_before_it_asks_again(
    clock: ManualClock, database: Database
) -> None:
    core = core_of(database, clock)
    for wait in (60, 120, 240, 480, 960, 1800, 1800):
        assert await waited(core) == pytest.approx(wait, abs=1)
    conflicts = Conflicts(core)
    clock.set_now(clock.now() + 3600)
    await conflicts.wait_out()
    await clock.advance(CALM_SECONDS)
    await conflicts.received()
    assert await waited(core) == pytest.approx(60, abs=1), "it has polled undisturbed meanwhile"


async def waited(core: BotCore) -> float:
    """Give up, start again, and return the seconds from one to the first request after the other."""
    assert isinstance(core.clock, ManualClock)
    await give_up(core)
    await sleeps_through(core.clock, asyncio.create_task(Conflicts(core).wait_out()))
    record = await core.database.read(lambda conn: kv.get(conn, "intake", "conflict"))
    assert isinstance(record, dict)
    return core.clock.now() - int(str(record["gave_up_at"])) / 1000


async def test_who_has_given_up_long_ago_asks_at_once(clock: ManualClock, database: Database) -> None:
    core = core_of(database, clock)
    await give_up(core)
    clock.set_now(clock.now() + 90)
    await Conflicts(core).wait_out()
    await give_up(core)
    clock.set_now(clock.now() - 9000)
    await Conflicts(core).wait_out()


def core_of(database: Database, clock: ManualClock) -> BotCore:
    core = Mock(spec=BotCore)
    core.database, core.clock = database, clock
    core.notifier.bot_notify_admin = AsyncMock()
    return core


async def give_up(core: BotCore) -> None:
    conflicts = Conflicts(core, chance=lambda: 0.0)
    error = TelegramConflictError(RawGetUpdates(), "Conflict: terminated by other getUpdates request")
    ended = asyncio.create_task(_meet(conflicts, error))
    assert isinstance(core.clock, ManualClock)
    with pytest.raises(TelegramRefused):
        await sleeps_through(core.clock, ended)


async def _meet(conflicts: Conflicts, error: TelegramConflictError) -> None:
    while True:
        await conflicts.met(error)


class Rest:
    """Tells when all pollers are at rest: one waits for updates, the others pause after a conflict."""

    def __init__(self, emu: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        self._emu = emu
        self.pollers = 0
        self._pausing = 0
        met = Conflicts.met

        async def watched(conflicts: Conflicts, error: TelegramConflictError) -> None:
            clock, conflicts._clock = conflicts._clock, Mock(wraps=conflicts._clock)
            conflicts._clock.sleep = self._sleeper(clock)
            try:
                await met(conflicts, error)
            except TelegramRefused:
                self.pollers -= 1
                raise
            finally:
                conflicts._clock = clock

        monkeypatch.setattr(Conflicts, "met", watched)

    def _sleeper(self, clock: Clock) -> Callable[[float], Awaitable[None]]:
        async def sleep(seconds: float) -> None:
            self._pausing += 1
            try:
                await clock.sleep(seconds)
            finally:
                self._pausing -= 1

        return sleep

    @property
    def reached(self) -> bool:
        return self._pausing + int(self._emu.bot.queue.is_polled) == self.pollers


async def test_of_two_bots_with_one_token_the_first_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    monkeypatch.setattr("tgllm.bot.intake.conflicts.SystemRandom", lambda: random.Random(7))
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    async with Emulator(clock=clock) as emu:
        ann = emu.add_user(first_name="Ann")
        rest = Rest(emu, monkeypatch)
        settings: dict[str, Any] = {"admins": [ann.id], "clock": clock, "sending__poll_timeout": 50}
        async with running_bot(emu, tmp_path / "old", **settings) as first:
            await answer(emu, ann, "one")
            rest.pollers = 1
            began = clock.monotonic()
            while clock.monotonic() - began < CALM_SECONDS + 60:
                await step(clock, rest)

            async def rival() -> None:
                async with running_bot(emu, tmp_path / "new", **settings) as second:
                    await asyncio.wait([second.task])

            ended = asyncio.create_task(rival())
            rest.pollers = 2
            while not ended.done():
                await step(clock, rest)
            with pytest.raises(TelegramRefused):
                await ended
            assert not first.task.done()
            await answer(emu, ann, "two")
        assert [text for text in ann.private_chat().bot_texts if text in {"one", "two"}] == ["one", "two"]


async def step(clock: ManualClock, rest: Rest) -> None:
    """Let time pass only while all pollers are at rest, and none while requests are under way."""
    if rest.reached:
        await clock.advance(0.5)
    else:
        await asyncio.sleep(0)


async def sleeps_through(clock: ManualClock, task: asyncio.Task[None]) -> None:
    """Let time pass only while the task sleeps, and none while it waits for the database, however long that takes."""
    while not task.done():
        if clock.sleepers:
            await clock.advance(0.5)
        else:
            await asyncio.wait([task], timeout=0)
    await task


@dataclass
class Instance:
    """A bot under a supervisor, in a simulation."""

    chance: Callable[[], float]
    rivalry: Rivalry = field(init=False)
    polls_at: float = 0.0
    waiting_since: float | None = None
    ends: list[float] = field(default_factory=list[float])
    held: float = 0.0
    times: int = 0

    def begin(self, at: float) -> None:
        self.rivalry = Rivalry(at, self.chance)
        self.polls_at = at

    def leave(self, now: float) -> None:
        if self.waiting_since is not None:
            self.held += now - self.waiting_since
        self.waiting_since = None

    def end(self, now: float) -> None:
        """Meet a conflict: pause, or give up and be restarted."""
        self.leave(now)
        pause = self.rivalry.met(now)
        if pause is None:
            self.ends.append(now)
            self.times += 1
            self.begin(now + min(1800.0, 60.0 * 2 ** (self.times - 1)))
        else:
            self.polls_at = now + pause


HOUR = 3600.0
LONG_POLL = 30.0


def simulate(instances: list[Instance], seconds: float) -> None:
    """Bot API: a getUpdates ends the one that waits."""
    while True:
        due = min(instances, key=lambda each: each.polls_at)
        now = due.polls_at
        if now > seconds:
            break
        if due.waiting_since is not None:
            due.leave(now)
            if due.rivalry.received(now):
                due.times = 0
        for other in instances:
            if other is not due and other.waiting_since is not None:
                other.end(now + 0.05)
        due.waiting_since, due.polls_at = now, now + LONG_POLL


def test_the_bot_that_runs_keeps_the_updates() -> None:
    for seed in range(100):
        chance = random.Random(seed).random
        old, new = Instance(chance), Instance(chance)
        old.begin(0.0)
        new.begin(100.0 + seed)
        simulate([old, new], 6 * HOUR)
        assert old.ends == [], seed
        assert new.ends, seed
        assert old.held > 0.9 * 6 * HOUR, seed


@pytest.mark.parametrize("count", [2, 3])
def test_bots_that_start_together_settle_on_one(count: int) -> None:
    for seed in range(100):
        chance = random.Random(seed).random
        instances = [Instance(chance) for _ in range(count)]
        for number, each in enumerate(instances):
            each.begin(number * 0.3)
        simulate(instances, 6 * HOUR)
        winner = max(instances, key=lambda each: each.held)
        assert winner.held > 0.8 * 6 * HOUR, seed
        assert all(at < 0.5 * HOUR for at in winner.ends), "the winner is not killed in turn"


def test_conflicts_far_apart_never_end_the_bot() -> None:
    rivalry = Rivalry(0.0, lambda: 0.5)
    now = 0.0
    for _ in range(100):
        now += CALM_SECONDS + 5
        pause = rivalry.met(now)
        assert pause is not None
        assert pause < 5
        now += pause
