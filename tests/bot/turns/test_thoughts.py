"""Reasoning in the text of an answer, from the model to the chat, the history and the export."""

import asyncio

import pytest

from bot_support import Start, content, from_bot
from tgllm.api import Finished
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, messages
from tgllm.db.tables.messages import Message
from tgllm.services.chats.settings import ReasoningDisplay
from tgllm.services.common.lane import Lane
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

CUT = "The model reached its length limit while it was thinking"


@pytest.mark.parametrize(
    "pieces",
    [
        ["<think>Secret", "</think>\n\nYes."],
        ["<th", "ink>Sec", "ret</th", "ink>Yes", "."],
        ["Secret\n</think>\n\nYes."],
        ["Secret", "\n</thi", "nk>", "\n\nYes."],
        ["[THINK]Secret[/THINK]Yes."],
        ["<THINKING a='b'>Secret</THINKING>\nYes."],
        ["<|channel>thought\nSecret<channel|>Yes."],
        ["<think>Secret</think>\n\n<think>Secret</think>\nYes."],
    ],
)
@pytest.mark.parametrize("kind", ["private", "group"])
async def test_thoughts_are_neither_shown_nor_sent_back_nor_stored(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, pieces: list[str], kind: str
) -> None:
    chat = ann.private_chat() if kind == "private" else emu.add_group(title="Team", members=[ann])
    provider.answer(*pieces)
    provider.answer("Again.")
    async with start() as bot:
        await ann.say("@demo_bot one?", chat=chat)
        answer = await emu.wait_for_message(chat, lambda message: message.text.endswith("Yes."))
        await ann.say("@demo_bot two?", chat=chat)
        await emu.wait_for_message(chat, lambda message: message.text == "Again.")
        stored = await bot.core.database.read(lambda conn: conn.execute("SELECT text FROM messages").fetchall())
    assert answer.text == "Yes."
    assert provider.told[1] == "Yes."
    assert not any("Secret" in row[0] for row in stored)


async def test_a_draft_hides_thoughts_from_the_closing_tag_on(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on, end = asyncio.Event(), asyncio.Event()
    provider.answer("Secret", go_on, "\n</think>\nYes", end, ".")
    async with start():
        await ann.say("well?")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Secret")
        go_on.set()
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Yes")
        end.set()
        assert (await emu.wait_for_message(ann.private_chat())).text == "Yes."


@pytest.mark.parametrize("how", ["button", "command"])
async def test_thoughts_cut_by_the_limit_are_said_and_can_be_continued(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, how: str
) -> None:
    chat = ann.private_chat()
    for _ in range(2):
        provider.answer("<think>Secret", Finished("length"))
    provider.answer("Yes.")
    async with start():
        await ann.say("well?")
        for times in (1, 2):
            await emu.wait_for(lambda times=times: len(from_bot(chat)) == times)
            cut = from_bot(chat)[-1]
            assert cut.text.startswith(CUT)
            assert cut.labels == ["Continue", "Try again"]
            await (ann.press(cut, "Continue") if how == "button" else ann.say("/continue"))
        answer = await emu.wait_for_message(chat, lambda message: message.text == "Yes.")
    assert answer.labels == ["Regenerate"]
    (asked,) = provider.told
    assert asked.startswith("well?\n\n[You reached your length limit")
    assert asked.count("length limit") == 1


async def test_thoughts_without_an_answer_are_said(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("<think>Secret</think>")
    async with start():
        await ann.say("well?")
        message = await emu.wait_for_message(ann.private_chat())
    assert message.text.startswith("The model thought about it, but gave no answer.")
    assert message.labels == ["Try again"]


def latest(conn: Connection) -> Message | None:
    return messages.get(conn, int(conn.execute("SELECT max(id) FROM messages").fetchone()[0]))


async def test_an_answer_about_the_tags_arrives_whole(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Write:\n\n```\n<think>\nhm\n</think>\n```\n\nThe `<think>` tag opens them.")
    async with start() as bot:
        await ann.say("how?")
        message = await emu.wait_for_message(ann.private_chat())
        stored = await bot.core.database.read(latest)
    assert message.text == "Write:\n\n<think>\nhm\n</think>\n\nThe <think> tag opens them."
    assert stored is not None
    assert "<think>\nhm" in stored.text


async def test_thoughts_are_not_exported(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Secret\n</think>\nYes.")
    async with start():
        await ann.say("well?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Yes.")
        await ann.say("/export")
        document = await emu.wait_for_message(ann.private_chat(), lambda message: message.file is not None)
    assert "Yes." in content(document)
    assert "Secret" not in content(document)


@pytest.mark.parametrize("display", ["shown", "folded"])
async def test_thoughts_that_are_shown_are_not_quoted(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, display: ReasoningDisplay
) -> None:
    chat = ann.private_chat()
    provider.answer("<think>Secret</think>Yes.")
    async with start() as bot:

        def show(conn: Connection) -> None:
            conversation = conversations.active_for(conn, Lane(chat.id).key, 0)
            conversations.set_settings(conn, conversation.id, {"reasoning_display": display}, 0)

        await bot.core.database.write(show)
        await ann.say("one?")
        answer = await emu.wait_for_message(chat, lambda message: message.text.endswith("Yes."))
        assert "Secret" in answer.text
        await ann.say("two?")
        await emu.wait_for_message(chat, lambda message: message.text == "two?" and message.from_bot)
        await ann.say("three?", reply_to=answer)
        await emu.wait_for_message(chat, lambda message: message.text.endswith("three?") and message.from_bot)
    assert "Yes." in provider.questions[-1]
    assert "Secret" not in provider.questions[-1]
