"""Buttons that send a part of an answer as a file."""

import asyncio

import pytest

from bot_support import Menus, Start, content, from_bot, settled
from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator
from tgllm.testing.scripted import ScriptedProvider

CODE = "".join(f"print({number})\n" for number in range(40))
ANSWER = f"Here:\n\n```python\n{CODE}```\n\n| a | b |\n|---|---|\n| 1 | =2 |\n"
LABELS = ["Regenerate", "📄 script.py", "📄 table.csv", "📄 table.xlsx"]


def documents(person: EmulatedUser) -> list[EmulatedMessage]:
    return [message for message in from_bot(person.private_chat()) if message.file is not None]


async def answered(emu: Emulator, person: EmulatedUser) -> EmulatedMessage:
    asked = await person.say("Write it")
    return await emu.wait_for_message(person.private_chat(), lambda message: bool(message.labels), after=asked)


async def test_code_and_tables_come_as_files(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(ANSWER)
    async with start(sending__paced=False) as bot:
        answer = await answered(emu, ann)
        assert answer.labels == LABELS
        for label in LABELS[1:]:
            await ann.press(answer, label)
        await emu.wait_for(lambda: len(documents(ann)) == 3)
        await settled(emu, bot)
        exports = bot.core.config.data_dir / "files" / "exports"
        await emu.wait_for(lambda: not list(exports.iterdir()))
    named = {message.file.name: message for message in documents(ann) if message.file is not None}
    assert named.keys() == {"script.py", "table.csv", "table.xlsx"}
    assert content(named["script.py"]) == CODE
    assert content(named["table.csv"]) == "\ufeffa,b\r\n1,'=2\r\n"
    assert {message.reply_to.id for message in named.values() if message.reply_to} == {answer.id}


async def test_a_button_works_after_a_restart_and_other_settings(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(ANSWER)
    async with start():
        answer = await answered(emu, ann)
    async with start(rendering__code_lines=0):
        await ann.press(answer, "📄 script.py")
        await emu.wait_for(lambda: documents(ann))
    assert content(documents(ann)[0]) == CODE


async def test_quick_presses_send_one_file(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(ANSWER)
    async with start() as bot:
        answer = await answered(emu, ann)
        await asyncio.gather(*(ann.press(answer, "📄 script.py") for _ in range(5)))
        await emu.wait_for(lambda: documents(ann))
        await settled(emu, bot)
    assert len(documents(ann)) == 1


@pytest.mark.parametrize("data", ["as_file:u1:0", "as_file:u999:00000000", "as_file", "as_file::", "as_file:x:y:z"])
async def test_forged_and_outdated_buttons_send_nothing(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, menus: Menus, data: str
) -> None:
    provider.answer(ANSWER)
    async with start() as bot:
        answer = await answered(emu, ann)
        assert await menus.toast(ann, answer, data) == "This answer is not stored any more."
        await settled(emu, bot)
    assert not documents(ann)


async def test_an_answer_of_another_chat_is_not_sent(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, menus: Menus
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    provider.answer(ANSWER)
    async with start() as bot:
        answer = await answered(emu, ann)
        await ann.say("@demo_bot hello", chat=group)
        other = await emu.wait_for_message(group, lambda message: bool(message.labels))
        data = answer.buttons[1].data
        assert data is not None
        assert await menus.toast(ann, other, data) == "This answer is not stored any more."
        await settled(emu, bot)


async def test_a_short_answer_has_no_such_buttons(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Use `|` or\n\n```\nshort\n```")
    async with start():
        assert (await answered(emu, ann)).labels == ["Regenerate"]
