"""Documents in conversations."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot_support import Menus, Start, settled
from tgllm.api import ContextTooLong
from tgllm.db.engine.sqlite import connect, in_transaction
from tgllm.services.common.actor import SHELL
from tgllm.services.personal_data.forget import forget
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

TOO_LONG = ContextTooLong("too long", code="context_too_long")
BOOK = (
    "Assam grows tea.\n" + "".join(f"Line {number} is about ships of the harbour.\n" for number in range(2000))
).encode()


@pytest.mark.parametrize("is_follow_up", [False, True])
async def test_what_is_too_long_for_the_model_is_asked_with_less_of_the_document(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, is_follow_up: bool
) -> None:
    chat = ann.private_chat()
    async with start() as bot:
        if is_follow_up:
            provider.answer("A book.")
            await ann.upload(BOOK, name="book.txt", mime="text/plain")
            await emu.wait_for_message(chat, lambda message: message.text.startswith("A book."))
        provider.answer(TOO_LONG)
        provider.answer("Tea.")
        if is_follow_up:
            await ann.say("What grows in Assam, and which ships come to the harbour?")
        else:
            await ann.upload(
                BOOK,
                name="book.txt",
                mime="text/plain",
                caption="What grows in Assam, and which ships come to the harbour?",
            )
        shown = await emu.wait_for_message(chat, lambda message: message.text.startswith("Tea."))
        await settled(emu, bot)
    before, after = provider.requests[-2:]
    lengths = [sum(len(message.text) for message in request.messages) for request in (before, after)]
    assert lengths[1] < lengths[0] * 0.65
    asked = after.messages[-1].text
    assert asked.count("=== document ") == 3
    assert "Assam grows tea." in asked
    assert asked.endswith("What grows in Assam, and which ships come to the harbour?")
    assert after.system == before.system
    # The note is about what the model has read in the end.
    assert is_follow_up or "longer than fits" in shown.text


def traces(folder: Path, word: str) -> list[str]:
    """Names of the files in a folder that contain a word."""
    return sorted(
        path.name for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes().lower()
    )


def passages_in(folder: Path) -> int:
    """The number of passages that a bot's database holds."""
    with closing(sqlite3.connect(folder / "tgllm.db")) as conn:
        return int(conn.execute("SELECT count(*) FROM passages").fetchone()[0])


@pytest.mark.sqlite  # reads the file
async def test_forgetting_leaves_no_trace_of_a_document(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, menus: Menus, tmp_path: Path
) -> None:
    provider.answer("A book.")
    async with start() as bot:
        await ann.upload(BOOK, name="secret-plan.txt", mime="text/plain", caption="What is it?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.startswith("A book."))
        await settled(emu, bot)
        assert traces(tmp_path, "harbour")
        asked = await menus.ask(ann, "/forget")
        await menus.press(ann, asked, "Delete my data")
        # The log of the database is emptied after the answer.
        await emu.wait_for(lambda: not traces(tmp_path, "harbour"))
        assert traces(tmp_path, "secret-plan") == []
        assert list((bot.core.config.data_dir / "files").iterdir()) == []


@pytest.mark.sqlite  # reads the file
async def test_the_text_of_a_removed_file_is_deleted_at_once(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, menus: Menus, tmp_path: Path
) -> None:
    provider.answer("A book.")
    async with start() as bot:
        await ann.upload(BOOK, name="book.txt", mime="text/plain", caption="What is it?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.startswith("A book."))
        listed = await menus.ask(ann, "/files")
        await menus.press(ann, listed, listed.labels[0])
        await menus.press(ann, listed, "Remove")
        await settled(emu, bot)
        # Shortly after the press is done, which shows the list at once.
        await emu.wait_for(lambda: not passages_in(tmp_path))
        provider.answer("What book?")
        await ann.say("And the tea?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "What book?")
    assert provider.requests[-1].system is None
    assert provider.told == ["What is it?", "A book.", "And the tea?"]


@pytest.mark.sqlite  # reads the file
async def test_a_document_that_was_deleted_just_before_a_crash_leaves_no_trace_after_the_next_start(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, tmp_path: Path
) -> None:
    provider.answer("A book.")
    async with start() as bot:
        await ann.upload(BOOK, name="book.txt", mime="text/plain", caption="What is it?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.startswith("A book."))
        await settled(emu, bot)
    with closing(connect(tmp_path / "tgllm.db")) as crashing:
        assert in_transaction(crashing, lambda conn: forget(conn, ann.id, SHELL, 1), "BEGIN IMMEDIATE")
        # What a program that is killed now leaves behind.
        left = {name: (tmp_path / name).read_bytes() for name in ("tgllm.db", "tgllm.db-wal")}
    for name, content in left.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "tgllm.db-shm").unlink(missing_ok=True)
    assert passages_in(tmp_path)
    async with start():
        await emu.wait_for(lambda: not traces(tmp_path, "harbour"))
    assert passages_in(tmp_path) == 0
