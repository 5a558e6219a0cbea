"""The database: the only part that writes SQL.

``init_db`` makes or updates the file, ``Database`` is what the running program reads and writes through, ``get_db``
is a plain connection for a look from elsewhere. Each table family has a module of functions that take an open
``sqlite3.Connection``, so that several of them make one transaction::

    await database.write(lambda conn: inbox.finish(conn, update_id, "done", now))
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tgllm.db.connection import get_db, init_db
    from tgllm.db.database import Database

__all__ = ["Database", "get_db", "init_db"]

_HOMES = {"Database": "tgllm.db.database", "get_db": "tgllm.db.connection", "init_db": "tgllm.db.connection"}


def __getattr__(name: str) -> object:
    """Load what is asked for: a shell command that reads one table needs neither asyncio nor aiosqlite."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found
