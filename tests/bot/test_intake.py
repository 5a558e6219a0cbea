"""Updates that Telegram hands over once more change nothing, and keep nothing from those that come with them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

Start = Callable[..., AbstractAsyncContextManager[RunningBot]]
Ask = Callable[..., Awaitable[EmulatedMessage]]


def last_update(emu: Emulator) -> int:
    return emu.bot.queue.pending[-1].update_id


async def test_an_earlier_edit_that_comes_twice_does_not_stop_the_answer_to_a_later_one(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    go_on, chat = asyncio.Event(), ann.private_chat()
    said = await ann.say("one")
    await ann.edit(said, "two")
    earlier = last_update(emu)
    async with start():
        await emu.wait_for_message(chat, lambda message: message.from_bot and message.text == "two")
        provider.answer("Half", go_on, " and whole.")
        await ann.edit(said, "three")
        await emu.wait_for_draft(chat, lambda draft: draft.text == "Half")
        emu.repeat_update(earlier)
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        go_on.set()
        await emu.wait_for_message(chat, lambda message: message.text == "Half and whole.")
        await ask("/ping")
    assert len(provider.requests) == 2


async def test_what_comes_along_with_something_known_is_acknowledged_and_edited_all_the_same(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on, chat = asyncio.Event(), ann.private_chat()
    provider.answer(go_on, "slow")
    async with start():
        await ann.say("one")
        known = last_update(emu)
        await emu.wait_for(lambda: provider.requests)
        emu.repeat_update(known)
        waiting = await ann.say("two")
        await emu.wait_for(lambda: any(waiting.reactions.values()))
        emu.repeat_update(known)
        await ann.edit(waiting, "2")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        go_on.set()
        await emu.wait_for_message(chat, lambda message: message.from_bot and message.text == "2")
        await emu.wait_for(lambda: not any(waiting.reactions.values()))
    assert provider.questions == ["one", "2"]
