"""The database, the only layer that contains SQL.

``init_db`` creates or migrates the file, the running program reads and writes through ``Database``, and ``get_db``
opens a plain connection for other uses. Each table has a module of functions that take an open
``sqlite3.Connection``, so that several of them can run in one transaction::

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
    """Import a name on first use: a shell command that reads one table needs neither asyncio nor aiosqlite."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found
