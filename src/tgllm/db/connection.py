"""Creation of the database file, and plain connections to it."""

import asyncio
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

from tgllm.api.clock import Clock, SystemClock, milliseconds
from tgllm.db.engine.errors import NotInitialised
from tgllm.db.engine.sqlite import connect, in_words
from tgllm.db.file.schema import prepare

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import aiosqlite

__all__ = ["get_db", "init_db"]


class _LastPath:
    """Path of the last ``init_db``."""

    value: Path | None = None


async def init_db(path: Path | str, *, clock: Clock | None = None) -> None:
    """Create the database file or migrate it to this version, and remember its path for ``get_db``.

    Missing folders are created with mode 0700, the file with mode 0600. An up-to-date file is left unchanged.

    Args:
        path: the database file.
        clock: source of the time in a backup's name; the system clock by default.

    Raises:
        DatabaseTooNew: the file was written by a newer version of the program.
        MigrationFailed: a migration failed; the file is as it was before that migration.
        DatabaseError: the file can't be created, read or written.
    """
    file = Path(path)
    await asyncio.to_thread(prepare, file, milliseconds(clock or SystemClock()))
    _LastPath.value = file


@asynccontextmanager
async def get_db(path: Path | str | None = None) -> "AsyncGenerator[aiosqlite.Connection]":
    """Open a connection for the duration of an ``async with``; rows are accessed by column name.

    Each statement is its own transaction unless BEGIN is executed. The running program uses ``Database`` instead,
    which needs one hop to another thread per transaction, not per statement.

    Args:
        path: the database file; by default that of the last ``init_db``.

    Raises:
        NotInitialised: no path was given and ``init_db`` was never called.
        DatabaseError: the file can't be opened.
    """
    import aiosqlite  # noqa: PLC0415  the program itself works through ``Database``

    file = _LastPath.value if path is None else Path(path)
    if file is None:
        raise NotInitialised("no database yet: await init_db(path) first, or give get_db() a path")
    # Opened here and not by aiosqlite: when aiosqlite fails to open a file, its thread outlives the loop and warns.
    with in_words(file), closing(await asyncio.to_thread(connect, file)) as opened:
        async with aiosqlite.Connection(lambda: opened, iter_chunk_size=64) as conn:
            yield conn
