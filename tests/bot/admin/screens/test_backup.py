"""``/admin backup`` copies the database on the server."""

import asyncio
import errno
import os
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from bot_support import Ask, Start
from tgllm.db.tables import audit
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser

pytestmark = pytest.mark.sqlite  # copies of the file


def backups(folder: Path) -> list[Path]:
    return sorted((folder / "backups").iterdir())


async def test_it_says_where_the_backup_is_and_how_large(ask: Ask, start: Start, tmp_path: Path) -> None:
    async with start() as bot:
        await ask("Hello")
        told = await ask("/admin backup")
        (entry,) = await bot.core.database.read(lambda conn: audit.list_recent(conn, 1))
    (path,) = backups(tmp_path)

    assert str(path) in told.text
    assert "KiB" in told.text
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (entry.action, entry.target, entry.details) == (
        "backup.make",
        path.name,
        {"bytes": path.stat().st_size, "files": 0},
    )
    with tarfile.open(path) as archive:
        archive.extract("tgllm.db", tmp_path / "out", filter="data")
    with closing(sqlite3.connect(tmp_path / "out" / "tgllm.db")) as conn:
        assert conn.execute("SELECT text FROM messages WHERE role = 'user'").fetchall() == [("Hello",)]


async def test_a_button_makes_one_too(emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, tmp_path: Path) -> None:
    async with start():
        menu = await ask("/admin")
        query = await ann.press(menu, "Backup")
        told = await emu.wait_for_message(menu.chat, lambda message: message.from_bot, after=menu)
        answer = await emu.wait_for(lambda: query.answer)

    assert str(backups(tmp_path)[0]) in told.text
    assert answer["text"] == "A backup is being made..."


async def test_the_newest_stay_and_what_is_not_ours_too(ask: Ask, start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in ("mine.sqlite", "20250101T000000.000Z.tar.unfinished"):
        (folder / name).touch()
    async with start(backups__keep=2):
        for _ in range(4):
            told = await ask("/admin backup")
    names = [path.name for path in backups(tmp_path)]

    assert len(names) == 3
    assert "mine.sqlite" in names
    assert names[1] in told.text


async def test_a_full_disk_is_told_and_the_bot_goes_on(
    ask: Ask, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.open

    def full(path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if str(path).endswith(".unfinished"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_open(path, flags, mode, dir_fd=dir_fd)  # type: ignore[call-overload]  handed on as it came

    async with start():
        monkeypatch.setattr("tgllm.services.backups.making.os.open", full)
        told = await ask("/admin backup")
        monkeypatch.undo()
        answer = await ask("Hello")

    assert "the disk of the backups is full" in told.text
    assert answer.text == "Hello"
    assert backups(tmp_path) == []


async def test_a_folder_that_can_not_be_made_is_told(ask: Ask, start: Start, tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("in the way")
    async with start():
        told = await ask("/admin backup")

        assert told.text.startswith("No backup was made: ")
        assert str(tmp_path / "backups") in told.text


async def test_two_at_the_same_time_are_made_one_after_the_other(start: Start, tmp_path: Path) -> None:
    async with start() as bot:
        made = await asyncio.gather(bot.core.backups.make(), bot.core.backups.make())

    assert backups(tmp_path) == sorted(backup.path for backup in made)
    assert len(made) == 2
