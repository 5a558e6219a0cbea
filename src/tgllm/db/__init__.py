"""The database: the only part that writes SQL.

``init_db`` makes or updates the file, ``Database`` is what the running program reads and writes through, ``get_db``
is a plain connection for a look from elsewhere. Each table family has a module of functions that take an open
``sqlite3.Connection``, so that several of them make one transaction::

    await database.write(lambda conn: inbox.finish(conn, update_id, "done", now))
"""

from tgllm.db.connection import get_db, init_db
from tgllm.db.database import Database

__all__ = ["Database", "get_db", "init_db"]
