"""Which answers of a private chat quote their questions."""

import asyncio

from bot_support import Ask, Killed, Start, from_bot
from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator
from tgllm.testing.scripted import ScriptedProvider


async def answer_to(emu: Emulator, asked: EmulatedMessage, text: str) -> EmulatedMessage:
    return await emu.wait_for_message(asked.chat, lambda message: message.from_bot and message.text == text)


async def test_an_answer_directly_below_its_question_is_plain(start: Start, ask: Ask) -> None:
    async with start():
        answers = [await ask("one"), await ask("two"), await ask("/ping"), await ask("three")]
    assert [answer.reply_to for answer in answers] == [None] * 4


async def test_each_answer_of_a_queue_quotes_its_question(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("first", go_on)
    provider.answer("second")
    provider.answer("third")
    async with start():
        asked = [await ann.say("one")]
        await emu.wait_for(lambda: provider.open_streams)
        asked += [await ann.say("two"), await ann.say("three")]
        await emu.wait_for(lambda: all(each.reactions for each in asked[1:]))
        go_on.set()
        answers = [await answer_to(emu, asked[0], text) for text in ("first", "second", "third")]
    assert [answer.reply_to for answer in answers] == asked


async def test_only_the_first_message_of_an_answer_is_a_reply(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("\n\n".join("word " * 300 for _ in range(4)), go_on)
    async with start():
        asked = await ann.say("one")
        await emu.wait_for(lambda: provider.open_streams)
        later = await ann.say("two")
        await emu.wait_for(lambda: later.reactions)
        go_on.set()
        await answer_to(emu, asked, "two")
    first, second, *_, last = from_bot(ann.private_chat())
    assert (first.reply_to, second.reply_to, last.reply_to) == (asked, None, later)


async def test_a_command_that_stops_the_answer_is_no_message_between(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Half", asyncio.Event())
    async with start():
        await ann.say("one")
        await emu.wait_for(lambda: provider.open_streams)
        await ann.say("/stop")
        stopped = await emu.wait_for_message(ann.private_chat())
    assert stopped.reply_to is None


async def test_an_answer_after_a_restart_quotes_its_question(
    emu: Emulator, ann: EmulatedUser, start: Start, killed: Killed, provider: ScriptedProvider
) -> None:
    provider.answer("never", asyncio.Event())
    async with killed(start()):
        asked = await ann.say("one")
        await emu.wait_for(lambda: provider.open_streams)
    async with start():
        answer = await answer_to(emu, asked, "one")
    assert answer.reply_to is asked


async def test_the_answer_to_an_edited_question_quotes_it_below_the_earlier_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("first")
    provider.answer("second")
    async with start():
        asked = await ann.say("one")
        await answer_to(emu, asked, "first")
        await ann.edit(asked, "two")
        answer = await answer_to(emu, asked, "second")
    assert answer.reply_to is asked


async def test_the_parts_of_a_long_question_are_no_messages_between(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("short")
    async with start():
        asked = await ann.paste("word " * 1000)
        answer = await answer_to(emu, asked[0], "short")
    assert answer.reply_to is None


async def test_a_deleted_question_is_not_quoted(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("first", go_on)
    async with start():
        asked = await ann.say("one")
        await emu.wait_for(lambda: provider.open_streams)
        later = await ann.say("two")
        await emu.wait_for(lambda: later.reactions)
        await ann.delete(asked)
        go_on.set()
        answer = await answer_to(emu, later, "first")
    assert answer.reply_to is None
