"""A text and what is forwarded directly after it: apps send them as several messages, and people mean one question."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot_support import Start
from tgllm.db.tables import inbox, messages
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.scripted import ScriptedProvider


async def test_a_comment_and_the_messages_forwarded_with_it_are_one_question(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    said = await eve.say("The boat sails at nine.", chat=group)
    shown = await eve.upload(b"boat", name="boat.txt", mime="text/plain", chat=group)
    provider.answer("At nine.")
    await ann.say("When?")
    await ann.forward(said)
    last = await ann.forward(shown)
    async with start() as bot:
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and "At nine." in message.text)
        assert await bot.core.database.read(inbox.counts) == {"done": 3, "merged": 2}
        stored = await bot.core.database.read(lambda conn: messages.find_by_telegram(conn, ann.id, last.id))
    assert provider.questions[0].endswith(
        "When?\n[Forwarded from Eve]\nThe boat sails at nine.\n[Forwarded from Eve]\n[File boat.txt]"
    )
    assert len(provider.requests) == 1
    assert stored is not None
    assert len(stored.telegram_message_ids) == 3


async def test_it_waits_behind_an_answer_as_one_question(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer(go_on, "slow")
    async with start():
        first = await ann.say("first")
        await emu.wait_for(lambda: provider.requests)
        await ann.say("And this?")
        await ann.forward(first)
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        go_on.set()
        await emu.wait_for(lambda: len(provider.requests) == 2)
    assert provider.questions[1] == "And this?\n[Forwarded from Ann]\nfirst"


async def test_only_what_follows_at_once_belongs_to_a_text(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    said = await ann.say("one")
    await ann.say("two")
    await ann.forward(said)
    later = await ann.say("three")
    later_forward = {"forward_origin": {"type": "hidden_user", "sender_user_name": "Eve", "date": 1}}
    await ann.say("four", fields={**later_forward, "date": later.date + 10})
    await ann.forward(said)
    async with start():
        await emu.wait_for(lambda: len(provider.requests) == 5)
    assert provider.questions == [
        "one",
        "two\n[Forwarded from Ann]\none",
        "three",
        "[Forwarded from Eve]\nfour",
        "[Forwarded from Ann]\none",
    ]


async def test_what_was_joined_stays_joined_after_a_crash(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, killed: Callable[..., Any]
) -> None:
    provider.answer(asyncio.Event())
    provider.answer("Nice.")
    said = await ann.say("/ping")
    await ann.say("What is that?")
    await ann.forward(said)
    async with killed(start()):
        await emu.wait_for(lambda: provider.requests)
    async with start():
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and "Nice." in message.text)
    assert provider.questions[0] == provider.questions[1] == "What is that?\n[Forwarded from Ann]\n/ping"


async def test_a_comment_is_answered_even_if_the_forwarded_file_is_broken(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    broken = await eve.upload(b"boat", name="boat.pdf", mime="application/pdf", chat=group)
    provider.answer("I can't see it.")
    await ann.say("When does it sail?")
    await ann.forward(broken)
    async with start():
        answer = await emu.wait_for_message(
            ann.private_chat(), lambda message: message.from_bot and "I can't see it." in message.text
        )
    assert "boat.pdf is damaged" in answer.text
    assert len(provider.requests) == 1


@pytest.mark.parametrize("words", ["What is a[0]", "See [1]"])
async def test_words_that_end_with_a_bracket_are_words(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, words: str
) -> None:
    provider.answer("I can't see it.")
    async with start():
        await ann.upload(b"boat", name="boat.pdf", mime="application/pdf", caption=words)
        await emu.wait_for_message(
            ann.private_chat(), lambda message: message.from_bot and "I can't see it." in message.text
        )
