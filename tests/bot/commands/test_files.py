"""The command /files: what a conversation has, and what is left when a file is removed."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot_support import Menus, Start
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, file_texts, files, messages
from tgllm.db.tables.file_texts import FileText
from tgllm.db.tables.files import NewFile
from tgllm.db.tables.messages import NewMessage
from tgllm.services.common.lane import Lane
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedUser, Emulator

EMPTY = "There are no files in this conversation. Send me one, with or without a question."


async def keep(
    bot: RunningBot,
    lane: Lane,
    user: EmulatedUser,
    name: str,
    content: bytes,
    *,
    kind: str = "document",
    text: str = "",
) -> int:
    """Store a question with a file, as a turn does; return the id of its message."""
    digest = hashlib.sha256(content).hexdigest()
    path = f"files/{digest[:8]}"
    blob = bot.core.config.data_dir / path
    blob.parent.mkdir(exist_ok=True)
    blob.write_bytes(content)

    def unit(conn: Connection) -> int:
        conversation = conversations.active_for(conn, lane.key, 1)
        parts = [{"source": f"id-{name}", "key": name, "kind": kind}]
        new = NewMessage(
            conversation_id=conversation.id,
            parent_id=conversation.head_message_id,
            turn_id=f"t-{name}",
            role="user",
            text="look",
            parts=parts,
            user_id=user.id,
            telegram_chat_id=lane.chat_id,
            telegram_message_ids=(9000,),
        )
        message_id = messages.add(conn, new, 1)
        answer = NewMessage(
            conversation_id=conversation.id, parent_id=message_id, turn_id=f"t-{name}", role="assistant", text="Nice."
        )
        conversations.set_head(conn, conversation.id, messages.add(conn, answer, 1), 1)
        file = NewFile(
            path=path,
            mime="text/plain",
            size=len(content),
            sha256=digest,
            original_name=name if kind == "document" else None,
            user_id=user.id,
            message_id=message_id,
            kind=kind,
            key=name,
        )
        files.add(conn, file, 1_790_000_000_000)
        if text:
            file_texts.put(conn, FileText(digest, "plain", text))
        return message_id

    return await bot.core.database.write(unit)


def blobs(data_dir: Path) -> Sequence[str]:
    return sorted(path.name for path in (data_dir / "files").iterdir())


async def test_files_are_listed_with_kind_size_time_and_what_was_read(
    menus: Menus, ann: EmulatedUser, start: Start
) -> None:
    async with start() as bot:
        assert (await menus.ask(ann, "/files")).text == EMPTY
        await keep(bot, Lane(ann.id), ann, "report.txt", b"x" * 3000, text="x" * 3000)
        await keep(bot, Lane(ann.id), ann, "photo", b"y", kind="photo")
        listed = await menus.ask(ann, "/files")
    first, second = listed.text.splitlines()[2:]
    assert first == "• picture: picture, 1 B, 2026-09-21 14:13 UTC, in the context"
    assert second.startswith("• report․txt: document, 3 KB, ")
    assert second.endswith("3000 characters of text, in the context")
    assert listed.labels == ["✕ picture", "✕ report.txt"]


async def test_a_file_is_removed_from_the_context_and_from_the_disk_after_a_question(
    menus: Menus, ann: EmulatedUser, start: Start, tmp_path: Path
) -> None:
    async with start() as bot:
        message_id = await keep(bot, Lane(ann.id), ann, "a.txt", b"a", text="a")
        await keep(bot, Lane(ann.id), ann, "b.txt", b"b")
        listed = await menus.ask(ann, "/files")
        await menus.press(ann, listed, "✕ a.txt")
        assert listed.text == "Remove a.txt? I delete it, and the model does not see it any more."
        await menus.press(ann, listed, "Back")
        assert len(blobs(tmp_path)) == 2
        await menus.press(ann, listed, "✕ a.txt")
        await menus.press(ann, listed, "Remove")
        assert listed.labels == ["✕ b.txt"]
        left = await bot.core.database.read(
            lambda conn: (files.of_message(conn, message_id), messages.get(conn, message_id))
        )
        texts = await bot.core.database.read(lambda conn: conn.execute("SELECT count(*) FROM file_texts").fetchone()[0])
        await bot.stop()
    assert left[0] == []
    assert left[1] is not None
    assert (left[1].text, left[1].parts) == ("look", ())
    assert texts == 0
    assert len(blobs(tmp_path)) == 1


async def test_the_same_content_is_listed_once_and_removed_wherever_it_is(
    menus: Menus, ann: EmulatedUser, start: Start, tmp_path: Path
) -> None:
    async with start() as bot:
        await keep(bot, Lane(ann.id), ann, "one.txt", b"same")
        await keep(bot, Lane(ann.id), ann, "two.txt", b"same")
        listed = await menus.ask(ann, "/files")
        assert listed.labels == ["✕ two.txt"]
        await menus.press(ann, listed, "✕ two.txt")
        await menus.press(ann, listed, "Remove")
        assert listed.text == EMPTY
        await bot.stop()
    assert blobs(tmp_path) == []


async def test_what_another_conversation_uses_stays_on_the_disk(
    menus: Menus, ann: EmulatedUser, start: Start, tmp_path: Path
) -> None:
    async with start() as bot:
        await keep(bot, Lane(ann.id), ann, "one.txt", b"same")
        await menus.ask(ann, "/new")
        await keep(bot, Lane(ann.id), ann, "two.txt", b"same")
        listed = await menus.ask(ann, "/files")
        await menus.press(ann, listed, "✕ two.txt")
        await menus.press(ann, listed, "Remove")
        await bot.stop()
    assert len(blobs(tmp_path)) == 1


async def test_the_list_has_pages(menus: Menus, ann: EmulatedUser, start: Start) -> None:
    async with start() as bot:
        for number in range(10):
            await keep(bot, Lane(ann.id), ann, f"{number}.txt", b"%d" % number)
        listed = await menus.ask(ann, "/files")
        assert listed.labels == [*(f"✕ {number}.txt" for number in range(9, 1, -1)), "1 / 2", "»"]
        await menus.press(ann, listed, "»")
        assert listed.labels == ["✕ 1.txt", "✕ 0.txt", "«", "2 / 2"]
        await menus.press(ann, listed, "✕ 0.txt")
        await menus.press(ann, listed, "Remove")
        assert listed.labels == ["✕ 1.txt", "«", "2 / 2"]


async def test_in_a_group_only_who_sent_a_file_and_admins_remove_it(
    emu: Emulator, menus: Menus, ann: EmulatedUser, eve: EmulatedUser, start: Start, tmp_path: Path
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start(let_in=[eve]) as bot:
        await menus.ask(ann, "@demo_bot hello", chat=group)
        await keep(bot, Lane(group.id), ann, "ann.txt", b"a")
        await keep(bot, Lane(group.id), eve, "eve.txt", b"e")
        listed = await menus.ask(eve, "/files@demo_bot", chat=group)
        ann_button = next(button.data for button in listed.buttons if "ann" in button.text)
        assert "Ann asked this" in await menus.toast(eve, listed, ann_button or "")
        assert "Ann asked this" in await menus.toast(eve, listed, (ann_button or "").replace("fask", "fdrop"))
        await menus.press(eve, listed, "✕ eve.txt")
        await menus.press(eve, listed, "Remove")
        await menus.press(ann, listed, "✕ ann.txt")
        await menus.press(ann, listed, "Remove")
        await bot.stop()
    assert blobs(tmp_path) == []


@pytest.mark.parametrize("data", ["fdrop:1", "fdrop:999999999999999999999:0", "fdrop:x:y", "fask:", "fdrop:-1:0"])
async def test_a_forged_button_removes_nothing_of_another_chat(
    menus: Menus, ann: EmulatedUser, eve: EmulatedUser, start: Start, tmp_path: Path, data: str
) -> None:
    async with start(let_in=[eve]) as bot:
        await keep(bot, Lane(ann.id), ann, "a.txt", b"a")
        listed = await menus.ask(eve, "/files")
        assert await menus.toast(eve, listed, data) == "This file is not there any more. See /files"
        await bot.stop()
    assert len(blobs(tmp_path)) == 1


async def test_a_name_can_not_imitate_lines_or_links(menus: Menus, ann: EmulatedUser, start: Start) -> None:
    async with start() as bot:
        await keep(bot, Lane(ann.id), ann, "a\n/etc/@x\u202etxt.exe", b"a")
        listed = await menus.ask(ann, "/files")
    assert len(listed.text.splitlines()) == 3
    assert "\u202e" not in listed.text
    assert not [entity for entity in listed.entities if entity["type"] in {"mention", "bot_command", "url"}]
