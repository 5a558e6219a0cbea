"""The database or its folder is deleted, moved, replaced or overwritten while the bot runs."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot_support import Ask, Start
from tgllm.db.engine.errors import DatabaseLost, DatabaseMissing
from tgllm.db.file.backup import backup
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser

pytestmark = pytest.mark.sqlite  # losses of the file

Harm = Callable[[Path], object]


def remove(name: str) -> Harm:
    return lambda folder: (folder / name).unlink()


def move(name: str) -> Harm:
    return lambda folder: (folder / name).rename(folder / f"{name}.elsewhere")


def replace_by_a_backup(folder: Path) -> None:
    backup(folder / "tgllm.db", folder / "copy")
    (folder / "copy").rename(folder / "tgllm.db")


def overwrite_by_a_backup(folder: Path) -> None:
    backup(folder / "tgllm.db", folder / "copy")
    shutil.copyfile(folder / "copy", folder / "tgllm.db")


def truncate(folder: Path) -> None:
    os.truncate(folder / "tgllm.db", 0)


RESTORED = {"database", "replaced", "log", "overwritten"}
"""Losses after which a backup or a copy is put in place."""


def questions(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as conn:
        return [row[0] for row in conn.execute("SELECT text FROM messages WHERE role = 'user' ORDER BY id")]


@pytest.mark.parametrize(
    ("harm", "loss"),
    [
        (remove("tgllm.db"), "database"),
        (move("tgllm.db"), "database"),
        (remove("tgllm.db-wal"), "log"),
        (remove("tgllm.db-shm"), "log"),
        (replace_by_a_backup, "replaced"),
        (overwrite_by_a_backup, "overwritten"),
        (truncate, "overwritten"),
        (lambda folder: folder.rename(folder.with_name("moved")), "folder"),
        (shutil.rmtree, "folder"),
    ],
    ids=[
        "delete", "move", "delete the log", "delete the index", "replace", "overwrite", "truncate", "move the folder",
        "delete the folder",
    ],
)  # fmt: skip
async def test_the_bot_ends_with_a_sentence(
    emu: Emulator, ann: EmulatedUser, tmp_path: Path, harm: Harm, loss: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()

    async def run() -> None:
        async with running_bot(emu, folder, admins=[ann.id], database__watch_interval=0.02) as bot:
            answer = await ann.say("hello")
            await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot, after=answer)
            harm(folder)
            await asyncio.wait({bot.task})

    with pytest.raises(DatabaseLost) as caught:
        await run()
    assert caught.value.params["loss"] == loss
    assert str(folder) in str(caught.value)
    assert ("db restore" in str(caught.value)) == (loss in RESTORED)
    rescued = list(folder.glob("tgllm.db.rescued-*"))
    assert len(rescued) == (loss in {"database", "replaced", "log"})
    assert [questions(path) for path in rescued] == [["hello"]] * len(rescued)
    assert all(str(path) in str(caught.value) for path in rescued)


async def test_the_log_of_a_replaced_database_is_not_applied_to_the_new_one(
    emu: Emulator, ann: EmulatedUser, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()

    async def run() -> None:
        async with running_bot(emu, folder, admins=[ann.id], database__watch_interval=0.02) as bot:
            backup(folder / "tgllm.db", folder / "copy")
            answer = await ann.say("hello")
            await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot, after=answer)
            assert (folder / "tgllm.db-wal").stat().st_size
            (folder / "copy").rename(folder / "tgllm.db")
            await asyncio.wait({bot.task})

    with pytest.raises(DatabaseLost):
        await run()
    assert questions(folder / "tgllm.db") == []
    assert [questions(path) for path in folder.glob("tgllm.db.rescued-*")] == [["hello"]]


async def test_after_the_log_was_deleted_the_database_is_whole(start: Start, ask: Ask, tmp_path: Path) -> None:

    async def run() -> None:
        async with start(database__watch_interval=0.02) as bot:
            await ask("hello")
            (tmp_path / "tgllm.db-wal").unlink()
            await asyncio.wait({bot.task})

    with pytest.raises(DatabaseLost):
        await run()
    assert questions(tmp_path / "tgllm.db") == ["hello"]
    async with start():
        await ask("and now?")


@pytest.mark.parametrize("harm", [remove("tgllm.db"), truncate], ids=["missing", "empty"])
async def test_a_known_bot_does_not_start_without_its_database(
    start: Start, ask: Ask, tmp_path: Path, harm: Harm
) -> None:
    async with start():
        await ask("hello")
    backup(tmp_path / "tgllm.db", tmp_path / "tgllm.db.backup-of-today")
    harm(tmp_path)
    with pytest.raises(DatabaseMissing) as caught:
        async with start():
            pass
    assert "tgllm.db.backup-of-today" in str(caught.value)
    assert "tgllm db init --new" in str(caught.value)
    assert not (tmp_path / "tgllm.db").exists() or not (tmp_path / "tgllm.db").stat().st_size
    shutil.copyfile(tmp_path / "tgllm.db.backup-of-today", tmp_path / "tgllm.db")
    async with start():
        await ask("and now?")
    assert questions(tmp_path / "tgllm.db") == ["hello", "and now?"]


async def test_writes_and_checkpoints_of_other_processes_are_no_loss(start: Start, ask: Ask, tmp_path: Path) -> None:
    async with start(database__watch_interval=0.02) as bot:
        for number in range(5):
            with closing(sqlite3.connect(tmp_path / "tgllm.db")) as conn:
                conn.execute("INSERT INTO kv VALUES ('test', ?, '1', 1)", (str(number),))
                conn.commit()
                conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            backup(tmp_path / "tgllm.db", tmp_path / f"copy {number}")
            assert await bot.core.database.lost() is None
            await ask(f"question {number}")
        assert not bot.task.done()
