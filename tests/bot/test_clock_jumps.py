"""The system's clock is wrong, or is set while the bot runs: every question is answered, the very first one too."""

import asyncio

import pytest

from bot_support import Start
from tgllm.api.clock import SystemClock
from tgllm.services.maintenance import clock_watch
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault
from tgllm.testing.scripted import ScriptedProvider

DAY = 86_400.0
JUMPS = [3 * DAY, -3 * DAY, -400 * DAY, 4000 * DAY]


class SetClock(SystemClock):
    """The system's clock, set by an administrator or a time service."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def now(self) -> float:
        return super().now() + self.seconds


@pytest.mark.parametrize("seconds", JUMPS)
async def test_the_very_first_question_is_answered(
    emu: Emulator, ann: EmulatedUser, start: Start, seconds: float
) -> None:
    texts = ["before the first start", "first", "with the right time again"]
    await ann.say(texts[0])
    async with start(clock=SetClock(seconds)) as bot:
        await ann.say(texts[1])
        await emu.wait_for(lambda: texts[1] in ann.private_chat().bot_texts)
        await bot.stop()
    async with start(clock=SetClock()) as bot:
        await ann.say(texts[2])
        await emu.wait_for(lambda: texts[2] in ann.private_chat().bot_texts)
        await bot.stop()
    assert ann.private_chat().bot_texts == texts


@pytest.mark.parametrize("seconds", JUMPS)
async def test_a_jump_while_a_question_is_answered_and_another_one_waits(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, seconds: float
) -> None:
    clock, go_on = SetClock(), asyncio.Event()
    provider.answer("Half", go_on, " and half")
    async with start(clock=clock):
        await ann.say("one")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Half")
        await ann.say("two")
        clock.seconds = seconds
        go_on.set()
        await emu.wait_for(lambda: "two" in ann.private_chat().bot_texts)
        await ann.say("three")
        await emu.wait_for(lambda: "three" in ann.private_chat().bot_texts)
    assert ann.private_chat().bot_texts == ["Half and half", "two", "three"]


async def test_an_answer_that_was_put_off_does_not_wait_for_the_old_time(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_watch, "LOOK_SECONDS", 0.05)
    clock = SetClock(400 * DAY)
    emu.faults.add(Fault.retry_after("sendMessage", 3))
    async with start(clock=clock):
        await ann.say("hello")
        await emu.wait_for(lambda: any(call.method == "sendMessage" for call in emu.journal))
        clock.seconds = 0.0
        await emu.wait_for_message(ann.private_chat())
    assert ann.private_chat().bot_texts == ["hello"]
