"""The disk is full or locked when the bot starts: it waits, and starts when that is over."""

import asyncio
import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from tgllm import app
from tgllm.api import DatabaseError
from tgllm.config.load import load_config
from tgllm.config.paths import database_path
from tgllm.db import database as database_module
from tgllm.db.database import Database
from tgllm.db.engine import sqlite as engine
from tgllm.testing.clock import ManualClock


async def starting(folder: Path, clock: ManualClock) -> Database:
    loaded = load_config({"data_dir": str(folder)}, environ={}, cwd=folder)
    async with AsyncExitStack() as stack:
        core = await app.enter_core(stack, loaded, plugins=False, clock=clock, found=[])
        return core.database


async def until_it_waits(clock: ManualClock, task: "asyncio.Task[Database]") -> None:
    while not (clock.sleepers or task.done()):  # noqa: ASYNC110  another thread works meanwhile
        await asyncio.sleep(0.01)


async def test_a_lock_is_waited_out(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT", 0.01)
    await starting(tmp_path, clock)
    with closing(sqlite3.connect(database_path(tmp_path), isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE kv SET value = value")
        task = asyncio.create_task(starting(tmp_path, clock))
        for _ in range(3):
            await until_it_waits(clock, task)
            assert not task.done()
            await clock.advance(app.START_RETRY_SECONDS)
        await until_it_waits(clock, task)
        other.execute("ROLLBACK")
    await clock.advance(app.START_RETRY_SECONDS)
    assert (await task).path == database_path(tmp_path)


@pytest.mark.parametrize(
    ("code", "waits"),
    [
        ("database_full", True),
        ("database_locked", True),
        ("database_read_only", False),
        ("database_corrupt", False),
        ("database_too_new", False),
        ("database_unreachable", False),
    ],
)
async def test_only_what_passes_is_waited_out(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, code: str, waits: bool
) -> None:
    async def refused(*_: object, **_others: object) -> None:
        raise DatabaseError("no", code=code)

    with monkeypatch.context() as patch:
        patch.setattr(database_module, "init_db", refused)
        task = asyncio.create_task(starting(tmp_path, clock))
        await until_it_waits(clock, task)
    assert task.done() != waits
    if waits:
        await clock.advance(app.START_RETRY_SECONDS)
        await task
    else:
        with pytest.raises(DatabaseError):
            await task
