"""A model that calls tools in a chat, and tools that ask with buttons."""

import asyncio

import pytest

from bot_support import Start
from loop_support import Box
from tgllm.api import ToolUse
from tgllm.db.tables import inbox
from tgllm.services.tools.questions import MOST_QUESTIONS
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider, calling


@pytest.fixture
def box() -> Box:
    return Box()


async def test_a_tool_is_called_and_its_result_answered(ann: EmulatedUser, start: Start, box: Box) -> None:
    provider = ScriptedProvider(tools=True)
    box.add("sundial")
    provider.answer("I'll look. ", calling("sundial"))
    provider.answer("It is noon.")
    async with start(provider=provider, plugins=[box.plugin]) as bot:
        answer = await bot.talk.say(ann, "What time is it?")
    assert "I'll look." in answer.text
    assert "It is noon." in answer.text
    assert box.uses[0].user.id == ann.id
    assert "sundial" in provider.results[0].text


async def test_a_tool_asks_the_person_with_buttons(emu: Emulator, ann: EmulatedUser, start: Start, box: Box) -> None:
    provider, chosen = ScriptedProvider(tools=True), list[str | None]()

    async def does(use: ToolUse) -> str:
        assert use.ask is not None
        chosen.append(await use.ask("Which of\u202e them? https://evil.example", ["Red", "Blue"]))
        return f"It is {chosen[0]}."

    box.add("choose", does, title="🎨 choosing\n\n@evil \u202e")
    provider.answer(calling("choose"))
    provider.answer("Done.")
    bob = emu.add_user(first_name="Bob")
    group = emu.add_group(title="Team", members=[ann, bob])
    async with start(provider=provider, plugins=[box.plugin]) as bot:
        await ann.say("@demo_bot choose", chat=group)
        question = await emu.wait_for_message(group, lambda message: "Which of them?" in message.text)
        assert "https://evil.example" not in question.text
        assert not question.entities
        assert "\u202e" not in question.text
        assert question.text.startswith("🎨 choosing")
        assert question.text.count("\n\n") == 1
        foreign = await bob.press(question, "Red")
        await ann.press(question, "Blue")
        await emu.wait_for_message(group, lambda message: "Done." in message.text)
        await emu.wait_for(lambda: any("➡️ Blue" in text for text in group.bot_texts))
        await bot.talk.settled()
    assert chosen == ["Blue"]
    assert foreign.answer is None or "Blue" not in str(foreign.answer)


async def test_the_questions_of_a_call_come_one_after_another_and_end(
    emu: Emulator, ann: EmulatedUser, start: Start, box: Box
) -> None:
    provider, chat = ScriptedProvider(tools=True), ann.private_chat()
    answers = list[str | None]()

    async def does(use: ToolUse) -> str:
        assert use.ask is not None
        answers.extend(await asyncio.gather(*(use.ask(f"Question {number}?") for number in range(50))))
        return "Asked."

    box.add("nag", does)
    provider.answer(calling("nag"))
    provider.answer("Done.")
    async with start(provider=provider, plugins=[box.plugin]):
        await ann.say("Nag me")
        for number in range(MOST_QUESTIONS):
            question = await emu.wait_for_message(chat, lambda message, n=number: f"Question {n}?" in message.text)
            assert sum(bool(message.labels) for message in chat.messages if "Question" in message.text) == 1
            await ann.press(question, "✖️ No, thanks")
            await emu.wait_for(lambda question=question: not question.labels)
        await emu.wait_for_message(chat, lambda message: "Done." in message.text)
    assert sum("Question" in message.text for message in chat.messages) == MOST_QUESTIONS
    assert answers == [None] * 50


async def test_a_stopped_bot_goes_on_with_a_question_whose_call_it_has_made(
    emu: Emulator, ann: EmulatedUser, start: Start, box: Box
) -> None:
    provider = ScriptedProvider(tools=True)
    box.add("pay", danger="dangerous")
    rules = {"tools__rules": '{"pay": {"private": "user"}}'}
    provider.answer("May I?", calling("pay", amount=5))
    provider.answer("Paid.")
    async with start(provider=provider, plugins=[box.plugin], **rules) as bot:
        await ann.say("Pay 5.")
        card = await emu.wait_for_message(ann.private_chat(), lambda message: "pay" in message.text)
        await bot.stop()
        states = await bot.core.database.read(inbox.counts)
    assert box.made == []
    assert states.get("queued") == 1
    async with start(provider=provider, plugins=[box.plugin], **rules):
        await ann.press(card, card.buttons[0].text)
        answer = await emu.wait_for_message(ann.private_chat(), lambda message: "Paid." in message.text)
    assert box.made == ["pay"]
    assert answer.text.startswith("May I?")
