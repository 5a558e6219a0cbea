"""The pace of a growing answer, on a clock that stands still."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramRetryAfter, TelegramServerError
from aiogram.methods import GetMe

from tgllm.api import ChatInfo, Finished, ModelRef, ReasoningDelta, TextDelta, UserInfo, Waiting
from tgllm.bot.delivery.rows import answer_rows
from tgllm.bot.rendering.payloads import EntityText, Payload
from tgllm.bot.streaming.pace import Intervals, Pace
from tgllm.bot.streaming.sink import ChatSink, Look
from tgllm.bot.telegram.limiter import Limiter
from tgllm.bot.telegram.limits.rates import Rates
from tgllm.db.tables.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.services.chats.settings import ReasoningDisplay
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.tool_steps import ToolStep
from tgllm.services.conversations.turn import Turn, TurnOutcome
from tgllm.testing.clock import ManualClock

PACE = Pace(first_delay=1.0, interval=2.0, keep_alive=1000.0, last_call=0.0)
TURN = Turn("u1", Lane(7).key, UserInfo(7, "Ann", "user", language="en"), ChatInfo(7, "private"), "How are you?")
OUTCOME = TurnOutcome("ok", ModelRef("scripted", "model"), "Fine.")


@dataclass
class Screen:
    """A display that notes what it shows and when."""

    clock: ManualClock
    shown: list[tuple[float, str]] = field(default_factory=list)
    formats: list[int] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    hold: asyncio.Event | None = None
    holding: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether a call that is held may end."""

    def __post_init__(self) -> None:
        self.leaving.set()

    async def show(self, shown: EntityText) -> None:
        self.shown.append((round(self.clock.monotonic(), 6), shown.text))
        self.formats.append(len(shown.entities))
        if self.hold is not None:
            self.holding.set()
            try:
                await self.hold.wait()
            finally:
                await self.leaving.wait()
        if self.errors:
            raise self.errors.pop(0)

    def finish(self, answer: Sequence[Payload]) -> Sequence[NewOutbox]:
        return answer_rows(Lane(7), answer, turn_id=TURN.id)


@pytest.fixture
def screen(clock: ManualClock) -> Screen:
    return Screen(clock)


@pytest.fixture
def limiter(clock: ManualClock) -> Limiter:
    return Limiter(Rates(overall=0, private=0), clock)


@pytest.fixture
async def sink(clock: ManualClock, screen: Screen, limiter: Limiter) -> AsyncIterator[Callable[..., Any]]:
    """Starts a sink, which is ended after the test."""
    async with AsyncExitStack() as stack:

        async def start(pace: Pace = PACE, display: ReasoningDisplay = "hidden") -> ChatSink:
            async def thoughts() -> ReasoningDisplay:
                return display

            look = Look(thoughts=thoughts)
            return await stack.enter_async_context(ChatSink(TURN, screen, limiter, clock, pace, Catalogue(), look))

        yield start


Start = Callable[..., Any]


async def test_nothing_is_shown_before_the_first_delay(clock: ManualClock, screen: Screen, sink: Start) -> None:
    it = await sink()
    it.show(TextDelta("quick"))
    await clock.advance(0.9)
    rows = await it.finish(OUTCOME)
    assert screen.shown == []
    assert [row.payload["text"] for row in rows] == ["Fine."]


async def test_a_model_that_thinks_is_shown_without_text(clock: ManualClock, screen: Screen, sink: Start) -> None:
    await sink()
    await clock.advance(1)
    assert screen.shown == [(1, "")]


async def test_text_is_shown_at_intervals_and_only_when_it_grew(
    clock: ManualClock, screen: Screen, sink: Start
) -> None:
    it = await sink()
    it.show(TextDelta("a"))
    await clock.advance(1)
    it.show(TextDelta("b"))
    await clock.advance(1.9)
    it.show(TextDelta("c"))
    await clock.advance(5)
    it.show(TextDelta("d"))
    await clock.advance(0)
    assert screen.shown == [(1, "a"), (2.7, "ab"), (4.145, "abc"), (7.9, "abcd")]


async def test_what_looks_the_same_is_not_shown_again(clock: ManualClock, screen: Screen, sink: Start) -> None:
    it = await sink()
    await clock.advance(5)
    it.show(ReasoningDelta("hm"))
    await clock.advance(5)
    it.show(TextDelta(" "))
    it.show(Finished())
    await clock.advance(5)
    assert screen.shown == [(1, "")]


@pytest.mark.parametrize("keep_alive", [20.0, 29.0])
async def test_an_unchanged_display_is_refreshed_before_it_fades(
    clock: ManualClock, screen: Screen, sink: Start, keep_alive: float
) -> None:
    it = await sink(Pace(first_delay=1.0, interval=5.0, keep_alive=keep_alive))
    await clock.advance(15)
    it.show(ReasoningDelta("hm"))
    await clock.advance(2 * keep_alive)
    assert screen.shown == [(1, ""), (1 + keep_alive, ""), (1 + 2 * keep_alive, "")]


async def test_while_a_person_decides_about_a_call_it_fades_and_costs_no_calls(
    clock: ManualClock, screen: Screen, sink: Start
) -> None:
    it = await sink(Pace(first_delay=1.0, interval=2.0, keep_alive=20.0))
    it.show(ToolStep("0.0", "pay", "💸 paying", "waiting"))
    await clock.advance(3600)
    it.show(ToolStep("0.0", "pay", "💸 paying", "running"))
    await clock.advance(25)

    waiting = "⏳ Waiting for your decision about: 💸 paying"
    elapsed = [text for _, text in screen.shown[1:]]
    assert screen.shown[0] == (1, waiting)
    assert screen.shown[1][0] == 3600
    assert all(text.startswith("💸 paying") for text in elapsed)
    assert len(elapsed) == 2


async def test_a_display_that_looks_the_same_does_not_fade_while_the_model_thinks_unseen(
    clock: ManualClock, screen: Screen, sink: Start
) -> None:
    it = await sink(Pace(first_delay=1.0, interval=2.0, keep_alive=20.0))
    for _ in range(130):
        it.show(ReasoningDelta("hm"))
        await clock.advance(0.5)
    times = [at for at, _ in screen.shown]
    assert len(times) == 4
    assert all(20 <= later - earlier <= 22 for earlier, later in pairwise(times))


async def test_a_long_wait_tells_how_long_it_has_been(clock: ManualClock, screen: Screen, sink: Start) -> None:
    it = await sink(Pace(first_delay=1.0, interval=2.0, keep_alive=20.0))
    it.show(Waiting("queue"))
    await clock.advance(45)
    words = Catalogue()("stream.waiting_queue")
    assert [text for _, text in screen.shown] == [words, f"{words} (21 s)", f"{words} (41 s)"]


async def test_thoughts_are_shown_where_the_chat_wants_them(clock: ManualClock, screen: Screen, sink: Start) -> None:
    it = await sink(PACE, "shown")
    it.show(ReasoningDelta("First"))
    await clock.advance(1)
    it.show(ReasoningDelta(" this."))
    await clock.advance(2)
    it.show(TextDelta("Fine."))
    await clock.advance(2)
    assert [text for _, text in screen.shown] == [
        "Thoughts\n\nFirst",
        "Thoughts\n\nFirst this.",
        "Thoughts\n\nFirst this.\n\nFine.",
    ]


async def test_what_the_model_waits_for_is_told(clock: ManualClock, screen: Screen, sink: Start) -> None:
    it = await sink()
    it.show(Waiting("queue"))
    await clock.advance(1)
    it.show(TextDelta("Fine."))
    await clock.advance(2)
    assert screen.shown == [(1, Catalogue()("stream.waiting_queue", "en")), (2.7, "Fine.")]


async def test_a_held_chat_is_waited_for_and_then_shown_the_latest(
    clock: ManualClock, screen: Screen, sink: Start, limiter: Limiter
) -> None:
    limiter.hold(7, 10)
    it = await sink()
    it.show(TextDelta("a"))
    await clock.advance(5)
    it.show(TextDelta("b"))
    await clock.advance(5)
    assert screen.shown == [(10, "ab")]


@pytest.mark.parametrize(
    "error",
    [TelegramRetryAfter(GetMe(), "Too Many Requests", 1), TelegramServerError(GetMe(), "Bad Gateway")],
    ids=lambda error: type(error).__name__,
)
async def test_after_trouble_that_passes_the_latest_is_shown_later(
    clock: ManualClock, screen: Screen, sink: Start, error: Exception
) -> None:
    screen.errors.append(error)
    it = await sink()
    it.show(TextDelta("a"))
    await clock.advance(1)
    it.show(TextDelta("b"))
    await clock.advance(100)
    assert screen.shown == [(1, "a"), (5, "ab")]


async def test_what_was_not_shown_is_shown_although_nothing_comes(
    clock: ManualClock, screen: Screen, sink: Start
) -> None:
    screen.errors.append(TelegramRetryAfter(GetMe(), "Too Many Requests", 1))
    it = await sink()
    it.show(TextDelta("a"))
    await clock.advance(100)
    assert screen.shown == [(1, "a"), (5, "a")]


async def test_repeated_trouble_makes_the_display_ever_slower_up_to_a_limit(
    clock: ManualClock, screen: Screen, sink: Start
) -> None:
    screen.errors += [TelegramRetryAfter(GetMe(), "Too Many Requests", 1)] * 4
    it = await sink(Pace(first_delay=1.0, interval=2.0, keep_alive=1000.0, longest=5.0))
    it.show(TextDelta("a"))
    await clock.advance(100)
    assert screen.shown == [(1, "a"), (5, "a"), (10, "a"), (15, "a"), (20, "a")]


async def test_a_display_that_is_already_as_it_should_be_is_no_trouble(
    clock: ManualClock, screen: Screen, sink: Start
) -> None:
    screen.errors.append(TelegramBadRequest(GetMe(), "Bad Request: message is not modified"))
    it = await sink()
    await clock.advance(1)
    it.show(TextDelta("a"))
    await clock.advance(2)
    assert screen.shown == [(1, ""), (2.7, "a")]


@pytest.mark.parametrize(
    "error",
    [TelegramBadRequest(GetMe(), "TEXTDRAFT_PEER_INVALID"), TelegramForbiddenError(GetMe(), "blocked"), ValueError()],
    ids=lambda error: type(error).__name__,
)
async def test_a_display_that_can_not_work_is_left_and_the_end_is_whole(
    clock: ManualClock, screen: Screen, sink: Start, error: Exception
) -> None:
    screen.errors.append(error)
    it = await sink()
    await clock.advance(1)
    it.show(TextDelta("a"))
    await clock.advance(10)
    rows = await it.finish(OUTCOME)
    assert screen.shown == [(1, "")]
    assert [row.payload["text"] for row in rows] == ["Fine."]


async def test_formats_that_telegram_refuses_are_left_out_from_then_on(
    clock: ManualClock, screen: Screen, sink: Start
) -> None:
    screen.errors.append(TelegramBadRequest(GetMe(), "Bad Request: ENTITY_BOUNDS_INVALID"))
    it = await sink()
    it.show(TextDelta("**a**"))
    await clock.advance(10)
    it.show(TextDelta(" `b`"))
    await clock.advance(10)
    assert [text for _, text in screen.shown] == ["a", "a", "a b"]
    assert screen.formats == [1, 0, 0]


async def test_without_formats_a_second_refusal_is_the_last(clock: ManualClock, screen: Screen, sink: Start) -> None:
    screen.errors += [TelegramBadRequest(GetMe(), "no"), TelegramBadRequest(GetMe(), "no")]
    it = await sink()
    it.show(TextDelta("**a**"))
    await clock.advance(100)
    it.show(TextDelta("b"))
    await clock.advance(100)
    assert [text for _, text in screen.shown] == ["a", "a"]


async def test_a_chat_keeps_its_pace_from_one_answer_to_the_next(
    clock: ManualClock, screen: Screen, limiter: Limiter
) -> None:
    intervals = Intervals()
    screen.errors += [TelegramRetryAfter(GetMe(), "Too Many Requests", 1)] * 2
    for _ in range(2):
        look = Look(interval=intervals.of(7, PACE))
        async with ChatSink(TURN, screen, limiter, clock, PACE, Catalogue(), look) as it:
            it.show(TextDelta("a"))
            await clock.advance(30)
    assert intervals.of(7, PACE).seconds == pytest.approx(8 * 0.85**2)
    assert intervals.of(8, PACE).seconds == PACE.interval


async def test_half_a_pair_is_not_sent(clock: ManualClock, screen: Screen, sink: Start) -> None:
    it = await sink()
    it.show(TextDelta("a\ud83d"))
    await clock.advance(1)
    it.show(TextDelta("\ude00"))
    await clock.advance(2)
    assert screen.shown == [(1, "a\ufffd"), (2.7, "a😀")]


async def test_a_call_on_its_way_is_waited_for(clock: ManualClock, screen: Screen, sink: Start) -> None:
    screen.hold = asyncio.Event()
    it = await sink(Pace(first_delay=0.0, interval=2.0, keep_alive=1000.0, last_call=1000.0))
    await screen.holding.wait()
    finishing = asyncio.create_task(it.finish(OUTCOME))
    await clock.advance(0)
    assert not finishing.done()
    screen.hold.set()
    assert await finishing
    await clock.advance(100)
    assert len(screen.shown) == 1


async def test_a_call_that_hangs_is_given_up(clock: ManualClock, screen: Screen, sink: Start) -> None:
    screen.hold = asyncio.Event()
    it = await sink(Pace(first_delay=0.0, interval=2.0, keep_alive=1000.0, last_call=0.001))
    await screen.holding.wait()
    assert await it.finish(OUTCOME)


async def test_our_own_cancellation_passes_and_leaves_no_display(
    clock: ManualClock, screen: Screen, sink: Start
) -> None:
    screen.hold = asyncio.Event()
    it = await sink(Pace(first_delay=0.0, interval=2.0, keep_alive=1000.0, last_call=1000.0))
    await screen.holding.wait()
    finishing = asyncio.create_task(it.finish(OUTCOME))
    await clock.advance(0)
    finishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await finishing
    await clock.advance(0)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "stream u1"]


async def test_leaving_after_a_cancellation_waits_for_the_last_call(
    clock: ManualClock, screen: Screen, limiter: Limiter
) -> None:
    screen.hold = asyncio.Event()
    screen.leaving.clear()
    pace = Pace(first_delay=0.0, interval=2.0, keep_alive=1000.0, last_call=1000.0)

    async def turn() -> None:
        async with ChatSink(TURN, screen, limiter, clock, pace, Catalogue()) as it:
            await screen.holding.wait()
            await it.finish(OUTCOME)

    running = asyncio.create_task(turn())
    await screen.holding.wait()
    await clock.advance(0)
    running.cancel()
    await clock.advance(0)
    assert not running.done()
    screen.leaving.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "stream u1"]
