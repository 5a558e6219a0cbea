"""Answers that come as a file: the beginning as text, the whole below it, and never lost."""

from pathlib import Path

import pytest

from bot_support import Ask, Start, content
from tgllm.api import Unavailable
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

LONG = "# Title\n\n" + "\n\n".join(f"Paragraph **{number}** of many." for number in range(400))
NOTE = "The full answer is in the file."


def is_document(message: EmulatedMessage) -> bool:
    return message.from_bot and message.file is not None


def answers(chat: EmulatedChat) -> list[EmulatedMessage]:
    return [message for message in chat.messages if message.from_bot]


@pytest.mark.parametrize("place", ["private", "group"])
async def test_a_long_answer_is_a_beginning_and_a_file(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, tmp_path: Path, place: str
) -> None:
    chat = ann.private_chat() if place == "private" else emu.add_group(title="Team", members=[ann])
    provider.answer(LONG)
    async with start(rendering__file_over=4000):
        await ann.say("@demo_bot go", chat=chat)
        document = await emu.wait_for_message(chat, is_document)
        await emu.wait_for(lambda: not list((tmp_path / "files" / "exports").iterdir()))
        (beginning, last) = answers(chat)
    assert last is document
    assert document.file is not None
    assert document.file.name == "answer.md"
    assert content(document) == LONG
    assert beginning.text.startswith("Title\n\nParagraph 0 of many.")
    assert beginning.text.endswith(" many. …\n\n" + NOTE)
    assert len(beginning.text) < 1100


async def test_by_default_it_is_messages(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(LONG, "\n\nEnd.")
    async with start():
        await ann.say("go")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.endswith("End."))
    assert not any(map(is_document, ann.private_chat().messages))


async def test_a_file_that_telegram_refuses_comes_as_messages(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, tmp_path: Path
) -> None:
    chat = ann.private_chat()
    refused = "Bad Request: not enough rights to send documents to the chat"
    emu.faults.add(Fault.api_error("sendDocument", 400, refused))
    provider.answer(LONG, Unavailable("down"))
    async with start(rendering__file_over=4000):
        await ann.say("go")
        await emu.wait_for_message(chat, lambda message: "Try again" in message.labels)
        await emu.wait_for(lambda: not list((tmp_path / "files" / "exports").iterdir()))
    beginning, *whole = answers(chat)
    assert NOTE in beginning.text
    assert len(whole) > 1
    text = "\n\n".join(message.text for message in whole)
    assert [f"Paragraph {number} of many." in text for number in range(400)] == [True] * 400
    assert [bool(message.buttons) for message in whole] == [False] * (len(whole) - 1) + [True]


async def test_where_no_file_can_be_written_it_is_messages(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "exports").write_text("in the way")
    provider.answer(LONG, "\n\nEnd.")
    async with start(rendering__file_over=4000):
        await ann.say("go")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.endswith("End."))


async def test_a_reply_to_the_file_goes_on_from_that_answer(
    emu: Emulator, ann: EmulatedUser, ask: Ask, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(LONG)
    async with start(rendering__file_over=4000):
        await ann.say("one")
        document = await emu.wait_for_message(ann.private_chat(), is_document)
        await ask("two")
        assert (await ask("/fork", reply_to=document)).text.startswith("We go on from that answer")
