"""Rates, holds, and the order of those who wait."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import (
    AnswerCallbackQuery,
    EditMessageText,
    GetMe,
    SendChatAction,
    SendMessage,
    SendMessageDraft,
)
from aiogram.methods.base import TelegramMethod

from tgllm.bot.delivery.calls import RawSendDocument
from tgllm.bot.delivery.files import StoredUpload
from tgllm.bot.telegram.limiter import RESERVED, Limiter
from tgllm.bot.telegram.limits.rates import Rates, rates_from
from tgllm.config.model import SendingSection
from tgllm.testing.clock import ManualClock

BOT = cast("Bot", None)
ANN, BEN, GROUP = 1, 2, -100


@dataclass
class Telegram:
    """Notes what arrives, and refuses the next calls with these waits."""

    clock: ManualClock
    arrived: list[tuple[float, TelegramMethod[Any]]] = field(default_factory=list)
    refuse: list[int] = field(default_factory=list)

    async def __call__(self, bot: Bot, method: TelegramMethod[Any]) -> Any:
        self.arrived.append((round(self.clock.monotonic(), 6), method))
        if self.refuse:
            raise TelegramRetryAfter(method, "Too Many Requests", self.refuse.pop(0))
        return True

    @property
    def times(self) -> list[float]:
        return [time for time, _ in self.arrived]


@pytest.fixture
def telegram(clock: ManualClock) -> Telegram:
    return Telegram(clock)


Call = Callable[[TelegramMethod[Any]], Awaitable[Any]]


def calling(telegram: Telegram, limiter: Limiter) -> Call:
    return lambda method: limiter(cast("Any", telegram), BOT, method)


def upload(chat_id: int, folder: Path, size: int) -> RawSendDocument:
    path = folder / f"{size}.bin"
    path.write_bytes(bytes(size))
    return RawSendDocument(chat_id=chat_id, document=StoredUpload(path, "x.bin"))


async def test_large_uploads_to_all_chats_are_spaced(telegram: Telegram, clock: ManualClock, tmp_path: Path) -> None:
    call = calling(telegram, Limiter(Rates(uploads=2.0), clock))
    async with asyncio.TaskGroup() as group:
        for chat_id in range(1, 9):
            group.create_task(call(upload(chat_id, tmp_path, 100_001)))
            group.create_task(call(upload(100 + chat_id, tmp_path, 100_000)))
            group.create_task(call(message(200 + chat_id)))
        await clock.advance(10)
    large = [time for time, method in telegram.arrived if getattr(method, "chat_id", 0) < 100]
    assert large == [0, 0, 0, 0, 0.5, 1.0, 1.5, 2.0]
    assert len(telegram.arrived) == 24
    assert max(time for time, method in telegram.arrived if getattr(method, "chat_id", 0) > 100) < 0.5


def message(chat_id: int, text: str = "x") -> SendMessage:
    return SendMessage(chat_id=chat_id, text=text)


async def many(call: Call, *methods: TelegramMethod[Any]) -> "list[asyncio.Task[Any]]":
    tasks = [asyncio.ensure_future(call(method)) for method in methods]
    await asyncio.sleep(0)
    return tasks


async def test_a_chat_has_a_burst_and_then_a_rate(clock: ManualClock, telegram: Telegram) -> None:
    call = calling(telegram, Limiter(Rates(overall=0, private=0.5, burst=2), clock))
    tasks = await many(call, *[message(ANN) for _ in range(5)])
    await clock.advance(100)
    await asyncio.gather(*tasks)
    assert telegram.times == [0, 0, 2, 4, 6]


async def test_a_group_has_a_rate_of_its_own(clock: ManualClock, telegram: Telegram) -> None:
    call = calling(telegram, Limiter(Rates(overall=0, burst=1), clock))
    tasks = await many(call, *[message(GROUP) for _ in range(4)])
    await clock.advance(100)
    await asyncio.gather(*tasks)
    assert telegram.times == [0, 3, 6, 9]


async def test_a_minute_in_a_group_never_has_more_than_its_calls(clock: ManualClock, telegram: Telegram) -> None:
    limiter = Limiter(Rates(overall=0, group_per_minute=20, burst=3), clock)
    call = calling(telegram, limiter)
    tasks = await many(call, *[message(GROUP) for _ in range(60)])
    await clock.advance(400)
    await asyncio.gather(*tasks)
    times = telegram.times
    assert times[:4] == [0, 0, 0, 3]
    assert all(later - time >= 60 for time, later in zip(times, times[20:], strict=False))
    assert times[-1] <= 2 * 61 + 57


async def test_the_minute_of_a_group_has_room_left_for_an_ending(clock: ManualClock, telegram: Telegram) -> None:
    limiter = Limiter(Rates(overall=0, group_per_minute=2, burst=9), clock)
    call = calling(telegram, limiter)
    await call(message(GROUP, "preview"))
    assert limiter.wait_for(GROUP) == 61
    await call(message(GROUP, "ending"))
    assert telegram.times == [0, 0]


async def test_a_pause_brings_back_no_more_than_the_burst(clock: ManualClock, telegram: Telegram) -> None:
    call = calling(telegram, Limiter(Rates(overall=0, private=1, burst=2), clock))
    await clock.advance(1000)
    tasks = await many(call, *[message(ANN) for _ in range(3)])
    await clock.advance(10)
    await asyncio.gather(*tasks)
    assert telegram.times == [1000, 1000, 1001]


async def test_chats_do_not_wait_for_each_other(clock: ManualClock, telegram: Telegram) -> None:
    limiter = Limiter(Rates(overall=0, private=1, burst=1), clock)
    call = calling(telegram, limiter)
    tasks = await many(call, message(ANN), message(ANN), message(BEN))
    assert telegram.times == [0, 0]
    assert (limiter.wait_for(ANN), limiter.wait_for(BEN)) == (1, 1)
    await clock.advance(1)
    await asyncio.gather(*tasks)


async def test_all_chats_together_have_a_rate(clock: ManualClock, telegram: Telegram) -> None:
    call = calling(telegram, Limiter(Rates(overall=2, private=0), clock))
    tasks = await many(call, *[message(chat) for chat in range(1, 7)])
    await clock.advance(10)
    await asyncio.gather(*tasks)
    assert telegram.times == [0, 0, 0.5, 1, 1.5, 2]


async def test_those_who_wait_for_a_chat_keep_their_order(clock: ManualClock, telegram: Telegram) -> None:
    limiter = Limiter(Rates(overall=0, private=1, burst=1), clock)
    call = calling(telegram, limiter)
    limiter.hold(ANN, 1.5)
    tasks = await many(call, message(ANN, "1"), message(ANN, "2"))
    await clock.advance(1)
    tasks += await many(call, message(ANN, "3"))
    limiter.hold(ANN, 0.7)
    await clock.advance(0.7)
    tasks += await many(call, message(ANN, "4"))
    await clock.advance(20)
    await asyncio.gather(*tasks)
    assert [cast("SendMessage", method).text for _, method in telegram.arrived] == ["1", "2", "3", "4"]
    assert telegram.times == [1.7, 2.7, 3.7, 4.7]


async def test_one_who_gives_up_does_not_hold_up_the_next(clock: ManualClock, telegram: Telegram) -> None:
    call = calling(telegram, Limiter(Rates(overall=0, private=1, burst=1), clock))
    first, second, third = await many(call, message(ANN, "1"), message(ANN, "2"), message(ANN, "3"))
    second.cancel()
    await clock.advance(1)
    await asyncio.gather(first, third)
    assert telegram.times == [0, 1]


async def test_after_a_429_nothing_goes_to_that_chat(clock: ManualClock, telegram: Telegram) -> None:
    limiter = Limiter(Rates(overall=0, private=0), clock)
    call = calling(telegram, limiter)
    telegram.refuse.append(5)
    with pytest.raises(TelegramRetryAfter):
        await call(message(ANN))
    assert limiter.held_chats() == {ANN}
    assert (limiter.wait_for(ANN), limiter.wait_for(BEN), limiter.next_room([ANN])) == (5, 0, 5)
    telegram.arrived.clear()
    tasks = await many(
        call,
        message(ANN),
        EditMessageText(chat_id=ANN, message_id=1, text="x"),
        SendMessageDraft(chat_id=ANN, draft_id=1, text="x"),
        SendChatAction(chat_id=ANN, action="typing"),
    )
    await call(message(BEN))
    assert telegram.times == [0]
    await clock.advance(5)
    await asyncio.gather(*tasks)
    assert telegram.times == [0, 5, 5, 5, 5]
    assert (limiter.held_chats(), limiter.next_room([ANN])) == (set(), 0)


async def test_the_longer_of_two_holds_counts(clock: ManualClock, telegram: Telegram) -> None:
    limiter = Limiter(Rates(overall=0, private=0), clock)
    limiter.hold(ANN, 10)
    limiter.hold(ANN, 1)
    assert limiter.wait_for(ANN) == 10


async def test_what_is_no_message_is_not_counted(clock: ManualClock, telegram: Telegram) -> None:
    call = calling(telegram, Limiter(Rates(overall=1, private=1, burst=1), clock))
    for method in (GetMe(), AnswerCallbackQuery(callback_query_id="1"), SendChatAction(chat_id=ANN, action="typing")):
        for _ in range(3):
            await call(method)
    await call(message(ANN))
    assert set(telegram.times) == {0}


async def test_without_rates_nothing_waits(clock: ManualClock, telegram: Telegram) -> None:
    limiter = Limiter(rates_from(SendingSection(paced=False)), clock)
    for _ in range(100):
        await calling(telegram, limiter)(message(ANN))
    assert limiter.wait_for(ANN) == 0


async def test_only_so_many_chats_are_kept(
    clock: ManualClock, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Limiter, "_CHATS", 2)
    limiter = Limiter(Rates(overall=0, private=1, burst=1), clock)
    for chat in (1, 2, 1, 3):
        limiter.wait_for(chat)
    assert list(limiter._chats) == [1, 3]


def test_the_rates_are_those_of_the_config() -> None:
    section = SendingSection(global_rate=5, chat_rate=2, group_per_minute=30, chat_burst=4)
    assert rates_from(section) == Rates(5, 2, 30, 4)


async def test_what_is_shown_on_the_way_leaves_room_in_its_chat(clock: ManualClock, telegram: Telegram) -> None:
    limiter = Limiter(Rates(overall=0, private=1, burst=3), clock)
    call = calling(telegram, limiter)
    while limiter.wait_for(ANN) == 0:
        await call(message(ANN, "preview"))
    assert telegram.times == [0, 0]
    await call(message(ANN, "ending"))
    assert telegram.times == [0, 0, 0]
    assert limiter.wait_for(ANN) == 2


async def test_what_is_shown_on_the_way_leaves_room_for_all_chats(clock: ManualClock, telegram: Telegram) -> None:
    limiter = Limiter(Rates(overall=10, private=0), clock)
    call = calling(telegram, limiter)
    while limiter.wait_for(ANN) == 0:
        await call(message(ANN, "preview"))
    await asyncio.gather(*await many(call, *[message(chat, "ending") for chat in range(1, 5)]))
    assert telegram.times == [0] * 10


async def test_a_reserved_call_does_not_wait_again(clock: ManualClock, telegram: Telegram) -> None:
    limiter = Limiter(Rates(overall=0, private=1, burst=2), clock)
    call = calling(telegram, limiter)
    assert [limiter.reserve(ANN) for _ in range(3)] == [True, True, False]
    RESERVED.set(True)
    await call(message(ANN))
    assert telegram.times == [0]
    # The reservation is for one call.
    (task,) = await many(call, message(ANN))
    await clock.advance(1)
    await task
    assert telegram.times == [0, 1]


async def test_there_is_no_room_for_calls_that_would_wait(clock: ManualClock, telegram: Telegram) -> None:
    limiter = Limiter(Rates(overall=5, private=1, burst=3), clock)
    assert (limiter.room().overall, limiter.room().chats, limiter.room().in_other_chat) == (5, {}, 3)
    for chat_id in (ANN, ANN, ANN, BEN):
        assert limiter.reserve(chat_id)
    assert (limiter.room().overall, limiter.room().chats) == (1, {ANN: 0, BEN: 2})
    assert (limiter.next_room(), limiter.next_room([ANN]), limiter.next_room([ANN, BEN])) == (0, 1, 0)
    assert limiter.reserve(GROUP)
    assert (limiter.reserve(BEN), limiter.next_room([BEN])) == (False, pytest.approx(0.2))
    await clock.advance(1)
    # What is full again has the same room as others.
    assert (limiter.room().overall, limiter.room().chats) == (5, {ANN: 1, GROUP: 2})
    limiter.hold(BEN, 30)
    assert (limiter.room().chats[BEN], limiter.next_room([BEN]), limiter.reserve(BEN)) == (0, 30, False)


async def test_calls_that_wait_already_come_first(clock: ManualClock, telegram: Telegram) -> None:
    limiter = Limiter(Rates(overall=0, private=1, burst=1), clock)
    call = calling(telegram, limiter)
    first, second = await many(call, message(ANN), message(ANN))
    await clock.advance(1)
    assert limiter.room().chats[ANN] == 0
    (third,) = await many(call, message(ANN))
    await clock.advance(0.5)
    assert (limiter.reserve(ANN), limiter.next_room([ANN])) == (False, 0.5)
    await clock.advance(3)
    await asyncio.gather(first, second, third)
    assert limiter.reserve(ANN)


async def test_without_pacing_there_is_room_for_any_number(clock: ManualClock) -> None:
    limiter = Limiter(rates_from(SendingSection(paced=False)), clock)
    assert all(limiter.reserve(ANN) for _ in range(1000))
    room = limiter.room()
    assert (min(room.overall, room.in_other_chat) > 1000, room.chats, limiter.next_room([ANN])) == (True, {}, 0)


async def test_a_large_upload_has_its_room_at_a_time_of_its_own(clock: ManualClock) -> None:
    limiter = Limiter(Rates(uploads=2), clock)
    assert [limiter.reserve_upload() for _ in range(6)] == [0, 0, 0, 0, 0.5, 1.0]


async def test_calls_that_wait_for_their_chats_leave_the_room_of_others(telegram: Telegram, clock: ManualClock) -> None:
    limiter = Limiter(Rates(overall=5), clock)
    call = calling(telegram, limiter)
    for chat_id in range(100, 120):
        limiter.hold(chat_id, 30)
    async with asyncio.TaskGroup() as calls:
        for chat_id in range(100, 120):
            calls.create_task(call(SendMessage(chat_id=chat_id, text="x")))
        await asyncio.sleep(0)
        assert limiter.room().overall == 5
        assert limiter.reserve(ANN)
        await clock.advance(40)
    assert len(telegram.arrived) == 20


async def test_calls_before_a_restart_count(clock: ManualClock, telegram: Telegram) -> None:
    limiter = Limiter(Rates(), clock)
    limiter.remember([(ANN, 2.0), (ANN, 1.5), (ANN, 0.5)])
    call = calling(telegram, limiter)
    started = clock.monotonic()
    async with asyncio.TaskGroup() as group:
        group.create_task(call(SendMessage(chat_id=BEN, text="1")))
        for text in "123":
            group.create_task(call(SendMessage(chat_id=ANN, text=text)))
        await clock.advance(10)
    assert [time - started for time in telegram.times] == [0, 0, 0, 1]


def test_a_chat_whose_previews_are_not_known_begins_without_a_burst(clock: ManualClock) -> None:
    limiter = Limiter(Rates(), clock)
    limiter.remember([], [ANN])
    assert limiter.room().chats == {ANN: 0}
    assert limiter.next_room([ANN]) == pytest.approx(1.0)
    assert limiter.next_room([BEN]) == 0


def test_the_minute_of_a_group_spans_a_restart(clock: ManualClock) -> None:
    limiter = Limiter(Rates(), clock)
    limiter.remember([(GROUP, 50.0 - number) for number in range(20)])
    assert limiter.room().chats == {GROUP: 0}
    assert limiter.next_room([GROUP]) == pytest.approx(11.0)


def test_without_rates_nothing_is_remembered(clock: ManualClock) -> None:
    limiter = Limiter(rates_from(SendingSection(paced=False)), clock)
    limiter.remember([(ANN, 0.0)] * 100, [ANN, GROUP])
    assert limiter.reserve(ANN)
    assert limiter.reserve(GROUP)
