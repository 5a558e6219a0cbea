"""Formatted answers, from the model to the chat."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from bot_support import Start, is_notice
from tgllm.db.tables import outbox
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

ANSWER = "# Plan\n\n**Bold** 🎉 [link](https://example.com) and `code`\n\n```py\nx = 1\n```"
TEXT = "Plan\n\nBold 🎉 link and code\n\nx = 1"
KINDS = ["bold", "bold", "text_link", "code", "pre"]
TABLE = "Look:\n\n| a | b |\n|---|---|\n| **1** | $x^2$ |"
REFUSAL = "Bad Request: can't parse entities"


def answers(chat: Any) -> list[Any]:
    return [message for message in chat.messages if message.from_bot]


def kinds(message: Any) -> list[str]:
    return [entity["type"] for entity in message.entities]


def words_of(chat: Any) -> Counter[str]:
    return Counter(word for message in answers(chat) for word in message.text.split())


def calls_of(emu: Emulator) -> list[str]:
    return [call.method for call in emu.journal if call.method.startswith(("send", "edit"))]


async def test_an_answer_arrives_with_entities_in_a_private_chat(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(ANSWER)
    async with start():
        await ann.say("plan?")
        message = await emu.wait_for_message(ann.private_chat())
    assert (message.text, kinds(message)) == (TEXT, KINDS)
    assert message.entities[-1]["language"] == "py"


async def test_a_draft_is_formatted_while_it_grows(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("Some **bo", go_on, "ld** text")
    async with start():
        await ann.say("write")
        draft = await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Some bo")
        assert [(entity["type"], entity["offset"], entity["length"]) for entity in draft.content.entities] == [
            ("bold", 5, 2)
        ]
        go_on.set()
        message = await emu.wait_for_message(ann.private_chat())
    assert message.text == "Some bold text"


async def test_an_answer_arrives_with_entities_in_a_group(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    go_on = asyncio.Event()
    provider.answer("**Half", go_on, "** done")
    async with start():
        await ann.say("@demo_bot go", chat=group)
        half = await emu.wait_for_message(group, lambda message: message.text == "Half")
        assert kinds(half) == ["bold"]
        go_on.set()
        message = await emu.wait_for_message(group, lambda message: message.text == "Half done")
    assert message.id == half.id
    assert kinds(message) == ["bold"]


@pytest.mark.parametrize("is_group", [False, True])
async def test_a_table_arrives_as_a_rich_message(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, is_group: bool
) -> None:
    chat = emu.add_group(title="Team", members=[ann]) if is_group else ann.private_chat()
    provider.answer(TABLE)
    async with start() as bot:
        await ann.say("@demo_bot table?", chat=chat)
        message = await emu.wait_for_message(chat, lambda message: "rich_message" in message.fields)
        await bot.stop()
        assert set(await bot.core.database.read(outbox.counts)) == {"sent"}
    assert [block["type"] for block in message.fields["rich_message"]["blocks"]] == ["paragraph", "table"]
    assert len(answers(chat)) == 1


async def test_rich_messages_can_be_switched_off(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(TABLE)
    async with start(rendering__rich="never"):
        await ann.say("table?")
        message = await emu.wait_for_message(ann.private_chat())
    assert message.text == "Look:\n\na | b\n--+---\n1 | x²"
    assert kinds(message) == ["pre"]


async def test_entities_that_telegram_refuses_cost_the_formats_only(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    emu.faults.add(Fault.api_error("sendMessage", 400, REFUSAL))
    provider.answer(ANSWER)
    async with start(streaming__first_delay=60) as bot:
        await ann.say("plan?")
        message = await emu.wait_for_message(ann.private_chat())
        await bot.stop()
        assert await bot.core.database.read(outbox.counts) == {"sent": 1}
    assert message.text == TEXT
    assert [kind for kind in kinds(message) if kind != "url"] == []
    assert calls_of(emu) == ["sendMessage", "sendMessage"]


async def test_a_refused_rich_message_steps_down_to_entities_and_then_to_plain_text(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    emu.faults.add(Fault.api_error("sendRichMessage", 400, "Bad Request: rich messages are not for you"))
    emu.faults.add(Fault.api_error("sendMessage", 400, REFUSAL))
    provider.answer(TABLE)
    async with start(streaming__first_delay=60) as bot:
        await ann.say("table?")
        message = await emu.wait_for_message(ann.private_chat())
        await bot.stop()
        assert await bot.core.database.read(outbox.counts) == {"sent": 1}
    assert message.text == "Look:\n\na | b\n--+---\n1 | x²"
    assert kinds(message) == []
    assert calls_of(emu) == ["sendRichMessage", "sendMessage", "sendMessage"]


async def test_a_server_without_rich_messages_gets_text(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    emu.faults.add(Fault.api_error("sendRichMessage", 404, "Not Found: method not found"))
    provider.answer(TABLE)
    async with start():
        await ann.say("table?")
        message = await emu.wait_for_message(ann.private_chat())
    assert kinds(message) == ["pre"]


async def test_a_long_rich_message_that_is_refused_arrives_whole_and_in_order(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    numbers = [f"number{number}" for number in range(1200)]
    emu.faults.add(Fault.api_error("sendRichMessage", 400, "Bad Request: no", times=None))
    provider.answer("$x$\n\n" + "\n\n".join(numbers))
    async with start() as bot:
        await ann.say("count")
        await emu.wait_for_message(ann.private_chat(), lambda message: numbers[-1] in message.text)
        await ann.say("and then?")
        await emu.wait_for_message(ann.private_chat(), lambda message: "and then?" in message.text and message.from_bot)
        await bot.stop()
        assert set(await bot.core.database.read(outbox.counts)) == {"sent"}
    texts = [message.text for message in answers(ann.private_chat())]
    assert " ".join(texts).split() == ["x", *numbers, "and", "then?"]


async def test_a_refused_edit_steps_down_in_place(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    go_on = asyncio.Event()
    provider.answer(go_on, "So **it is**")
    async with start(streaming__edit_interval=60):
        await ann.say("@demo_bot go", chat=group)
        first = await emu.wait_for_message(group)
        emu.faults.add(Fault.api_error("editMessageText", 400, REFUSAL))
        go_on.set()
        message = await emu.wait_for_message(group, lambda message: message.text == "So it is")
    assert message.id == first.id
    assert kinds(message) == []


async def test_a_refused_rich_edit_steps_down_in_place_to_plain_text(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    go_on = asyncio.Event()
    provider.answer(go_on, TABLE)
    async with start(streaming__edit_interval=60):
        await ann.say("@demo_bot go", chat=group)
        first = await emu.wait_for_message(group)
        emu.faults.add(Fault.api_error("editMessageText", 400, REFUSAL, times=2))
        go_on.set()
        message = await emu.wait_for_message(group, lambda message: message.text.startswith("Look:"))
    assert (message.id, message.text, kinds(message)) == (first.id, "Look:\n\na | b\n--+---\n1 | x²", [])
    assert calls_of(emu) == ["sendMessage", *["editMessageText"] * 3]


async def test_what_follows_a_text_that_the_person_has_still_arrives(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    numbers = [f"number{number}" for number in range(1200)]
    emu.faults.add(Fault.api_error("sendRichMessage", 400, "Bad Request: no"))
    emu.faults.add(Fault.cut_after("sendMessage"))
    provider.answer("$x$\n\n" + "\n\n".join(numbers))
    async with start(sending__resolve=False):
        await ann.say("count")
        notice = await emu.wait_for_message(ann.private_chat(), is_notice)
        await ann.press(notice, "I have it")
        await emu.wait_for(lambda: words_of(ann.private_chat()).keys() >= set(numbers))
    assert {words_of(ann.private_chat())[number] for number in numbers} == {1}


async def test_a_rich_message_of_which_nobody_knows_is_not_sent_again(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    emu.faults.add(Fault.cut_after("sendRichMessage"))
    provider.answer(TABLE)
    async with start(sending__resolve=False) as bot:
        await ann.say("table?")
        await emu.wait_for_message(ann.private_chat(), is_notice)
        await bot.stop()
        assert await bot.core.database.read(outbox.counts) == {"sent": 1, "uncertain": 1}
    assert calls_of(emu).count("sendRichMessage") == 1


async def test_emphasis_operators_and_formulas_arrive_as_they_are_meant(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("**要点：**继续, 5! = 5*4*3*2*1, `a` in ", "__init__.py: $e^{-t/2}$")
    async with start(rendering__rich="never"):
        await ann.say("formula?")
        message = await emu.wait_for_message(ann.private_chat())
    assert message.text == "要点：继续, 5! = 5*4*3*2*1, a in __init__.py: e^(-t/2)"
    places = [(entity["type"], entity["offset"], entity["length"]) for entity in message.entities]
    assert [place for place in places if place[0] != "url"] == [("bold", 0, 3), ("code", 23, 1)]
