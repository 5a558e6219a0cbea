"""Strangers, cards and broadcasts don't hold up the people who are approved."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot_support import LetIn, from_bot
from shared_clock_support import SharedClock, calls_under_way
from tgllm.api import ChatRequest, Finished, StreamEvent, TextDelta
from tgllm.db.engine.unit import Connection
from tgllm.services.access.cards import MOST_SHORTLY
from tgllm.testing.bot import RunningBot, running_bot
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault, RateLimits
from tgllm.testing.emulator.state.journal import Call
from tgllm.testing.scripted import ScriptedProvider

STRANGERS = 400
FEW = 45
"""Messages of others that may come between a question and its answer. A flood in order of arrival has hundreds."""
REAL_SECONDS = 240.0

pytestmark = [pytest.mark.once, pytest.mark.timeout(300)]

Begin = Callable[..., AbstractAsyncContextManager[RunningBot]]


class SlowProvider(ScriptedProvider):
    """Answers at once, or within ten seconds if the question says so."""

    def __init__(self, clock: SharedClock) -> None:
        super().__init__()
        self._clock = clock

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        question = request.messages[-1].text
        for number in range(10 if "slowly" in question else 1):
            if "slowly" in question:
                await self._clock.sleep(1.0)
            yield TextDelta(f"answer {number} to {question}. ")
        yield Finished()


@pytest.fixture
async def clock() -> SharedClock:
    return SharedClock()


@pytest.fixture
async def emu(clock: SharedClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulator]:
    under_way = calls_under_way(monkeypatch)
    async with Emulator(clock=clock, rate_limits=RateLimits()) as emulator, asyncio.TaskGroup() as group:
        running = group.create_task(clock.run(lambda: bool(under_way)))
        yield emulator
        running.cancel()


@pytest.fixture
def begin(emu: Emulator, clock: SharedClock, tmp_path: Path) -> Begin:
    """Starts the bot with Telegram's rates, and the ids of admins."""

    @asynccontextmanager
    async def begin(admins: Sequence[EmulatedUser], **changes: Any) -> AsyncIterator[RunningBot]:
        ids = [person.id for person in admins]
        provider = SlowProvider(clock)
        async with running_bot(
            emu, tmp_path, admins=ids, provider=provider, clock=clock, sending__paced=True, **changes
        ) as bot:
            yield bot

    return begin


def people(emu: Emulator, name: str, count: int) -> list[EmulatedUser]:
    return [emu.add_user(first_name=f"{name}{number}", language_code="en") for number in range(count)]


async def answer_to(emu: Emulator, person: EmulatedUser, text: str) -> None:
    def is_answered() -> bool:
        return any(f"to {text}" in message.text for message in from_bot(person.private_chat()))

    await emu.wait_for(is_answered, timeout=REAL_SECONDS)


def sent(emu: Emulator, since: int = 0) -> list[Call]:
    return [call for call in emu.journal[since:] if call.method == "sendMessage"]


def others_before(emu: Emulator, since: int, person: EmulatedUser, text: str) -> int:
    """How many messages were sent between the moment ``since`` and the answer to a person's question."""
    calls = sent(emu, since)
    return next(
        number
        for number, call in enumerate(calls)
        if call.chat_id == person.id and f"to {text}" in str(call.params["text"])
    )


def drafts(emu: Emulator, person: EmulatedUser) -> int:
    return sum(call.method == "sendMessageDraft" and call.chat_id == person.id for call in emu.journal)


@pytest.mark.sqlite  # the clock of the test goes on while a server works
async def test_answers_come_before_cards_and_refusals(emu: Emulator, begin: Begin) -> None:
    ann, bob, cid = admins = people(emu, "Admin", 3)
    async with begin(admins) as bot:
        for stranger in people(emu, "S", STRANGERS):
            await stranger.say("/start")
        since = len(emu.journal)
        for person in (ann, bob):
            await person.say("hello")
        await cid.say("slowly")
        for person, text in ((ann, "hello"), (bob, "hello"), (cid, "slowly")):
            await answer_to(emu, person, text)
        assert max(others_before(emu, since, person, "hello") for person in (ann, bob)) < FEW
        assert drafts(emu, cid) >= 5
        # The strangers get their answers too, and the admins few messages that say how many they are.
        more = f"{STRANGERS - MOST_SHORTLY} more requests"
        await emu.wait_for(
            lambda: all(any(more in text for text in person.private_chat().bot_texts) for person in admins),
            timeout=REAL_SECONDS,
        )
        await emu.wait_for(lambda: len(sent(emu)) >= STRANGERS, timeout=REAL_SECONDS)
        assert [sum("🔔" in text for text in person.private_chat().bot_texts) for person in admins] == [
            MOST_SHORTLY + 1
        ] * 3
        await bot.stop()
    assert emu.rates.violations == 0


async def test_a_question_is_handled_before_the_updates_of_strangers(emu: Emulator, begin: Begin) -> None:
    (ann,) = people(emu, "Admin", 1)
    async with begin([ann]) as bot:
        for stranger in people(emu, "S", STRANGERS):
            for number in range(3):
                await stranger.say(f"let me in {number}")
        await ann.say("hello")
        await answer_to(emu, ann, "hello")
        waiting = await bot.core.database.read(strangers_queued)
        assert waiting > STRANGERS
        await emu.wait_for(lambda: len(sent(emu)) > STRANGERS, timeout=REAL_SECONDS)
        # One answer to each, however much they write.
        assert len(sent(emu)) == STRANGERS + 1


def strangers_queued(conn: Connection) -> int:
    query = "SELECT count(*) FROM inbox WHERE stranger = 1 AND state = 'queued'"
    return int(conn.execute(query).fetchone()[0])


async def test_a_group_of_strangers_delays_no_answers(emu: Emulator, begin: Begin) -> None:
    (ann,) = people(emu, "Admin", 1)
    strangers = people(emu, "S", 40)
    groups = [emu.add_group(title=f"G{number}", members=strangers) for number in range(20)]
    async with begin([ann]):
        for group in groups:
            for stranger in strangers[:10]:
                await stranger.say("@demo_bot hello", chat=group)
        since = len(emu.journal)
        await ann.say("slowly")
        await answer_to(emu, ann, "slowly")
        assert drafts(emu, ann) >= 5
        assert others_before(emu, since, ann, "slowly") < 200
        assert sum("🔔" in text for text in ann.private_chat().bot_texts) <= MOST_SHORTLY + 1


@pytest.mark.sqlite  # the clock of the test goes on while a server works
async def test_many_admins_get_their_answers_during_a_flood(emu: Emulator, begin: Begin) -> None:
    admins = people(emu, "Admin", 30)
    async with begin(admins):
        for stranger in people(emu, "S", 100):
            await stranger.say("/start")
        since = len(emu.journal)
        for person in admins:
            await person.say("hello")
        for person in admins:
            await answer_to(emu, person, "hello")
        assert max(others_before(emu, since, person, "hello") for person in admins) < len(admins) + FEW


async def test_a_broadcast_leaves_room_for_drafts_and_answers(emu: Emulator, begin: Begin, let_in: LetIn) -> None:
    (ann,) = people(emu, "Admin", 1)
    crowd = people(emu, "P", 200)
    for person in crowd:
        person.private_chat()
    async with begin([ann], admin__broadcast_rate=20) as bot:
        await let_in(bot, crowd)
        await ann.say("/admin broadcast News")
        preview = await emu.wait_for_message(ann.private_chat(), lambda message: "Don't send" in message.labels)
        await ann.press(preview, preview.labels[0])
        await emu.wait_for(lambda: any("News" in text for text in crowd[0].private_chat().bot_texts))
        await crowd[-1].say("slowly")
        await answer_to(emu, crowd[-1], "slowly")
        assert drafts(emu, crowd[-1]) >= 5
        await emu.wait_for(
            lambda: all(any("News" in text for text in person.private_chat().bot_texts) for person in crowd),
            timeout=REAL_SECONDS,
        )
    assert emu.rates.violations == 0


async def test_calls_to_strangers_that_telegram_puts_off_delay_no_answers(emu: Emulator, begin: Begin) -> None:
    ann, bob = people(emu, "Admin", 2)
    strangers = people(emu, "S", 100)
    for stranger in strangers:
        emu.faults.add(Fault.retry_after("sendMessage", 30, times=None, chat_id=stranger.id))
    async with begin([ann, bob]):
        for stranger in strangers:
            await stranger.say("/start")
        since = len(emu.journal)
        await ann.say("slowly")
        await bob.say("hello")
        await answer_to(emu, bob, "hello")
        assert others_before(emu, since, bob, "hello") < FEW
        await answer_to(emu, ann, "slowly")
        assert drafts(emu, ann) >= 5
