"""Making the database file, and a plain connection to it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiosqlite

from tgllm.api.clock import Clock, SystemClock, milliseconds
from tgllm.db.engine.errors import NotInitialised
from tgllm.db.engine.sqlite import connect, in_words
from tgllm.db.file.schema import prepare

__all__ = ["get_db", "init_db"]


class _LastPath:
    """The file of the last ``init_db``."""

    value: Path | None = None


async def init_db(path: Path | str, *, clock: Clock | None = None) -> None:
    """Make the database file or bring it to this version, and remember its path for ``get_db``.

    Makes missing folders (mode 0700) and the file (mode 0600). On a file that is up to date it changes nothing.

    Args:
        path: the database file.
        clock: names the time in the name of a backup; the machine's clock by default.

    Raises:
        DatabaseTooNew: a newer version of the program has written the file.
        MigrationFailed: an update failed; the file is as it was before that update.
        DatabaseError: the file can't be made, read or written.
    """
    file = Path(path)
    await asyncio.to_thread(prepare, file, milliseconds(clock or SystemClock()))
    _LastPath.value = file


@asynccontextmanager
async def get_db(path: Path | str | None = None) -> AsyncGenerator[aiosqlite.Connection]:
    """Open a connection for the length of an ``async with``; rows are read by column name.

    Each statement is a transaction of its own unless BEGIN is executed. The running program writes through
    ``Database`` instead, which costs one hop to another thread for a transaction and not one for a statement.

    Args:
        path: the database file; by default that of the last ``init_db``.

    Raises:
        NotInitialised: no path was given and ``init_db`` was never called.
        DatabaseError: the file can't be opened.
    """
    file = _LastPath.value if path is None else Path(path)
    if file is None:
        raise NotInitialised("no database yet: await init_db(path) first, or give get_db() a path")
    # Opened before aiosqlite sees it: where its own opening fails, its thread outlives the loop and complains.
    with in_words(file), closing(await asyncio.to_thread(connect, file)) as opened:
        async with aiosqlite.Connection(lambda: opened, iter_chunk_size=64) as conn:
            yield conn
