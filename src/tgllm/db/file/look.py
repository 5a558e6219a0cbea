"""Single read-only query on the database file, for short shell commands."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.sqlite import connect, in_words
from tgllm.db.file.identity import latest_version, refuse_foreign
from tgllm.db.file.known import refuse_missing, refuse_stray_log
from tgllm.db.migrations.load import shipped

__all__ = ["is_there", "look"]

T = TypeVar("T")


def is_there(path: Path) -> bool:
    """Return whether the database file exists.

    Raises:
        DatabaseMissing: the bot has run with the file before, and it is missing or empty now.
        DatabaseError: its folder can't be read or is no folder, or the log of another database is beside it.
    """
    with in_words(path):
        refuse_missing(path)
        refuse_stray_log(path)
        try:
            path.stat()
        except FileNotFoundError:
            return False
        return True


def look(path: Path, query: Callable[[sqlite3.Connection], T]) -> T:
    """Run ``query`` on the file, which is neither created nor migrated.

    Raises:
        DatabaseTooNew: the file is of a newer version.
        DatabaseError: the file can't be read, is of an older version, or belongs to another program.
    """
    with in_words(path), closing(connect(path, "ro")) as conn:
        refuse_foreign(conn, path, latest_version(shipped()))
        try:
            return query(conn)
        except (sqlite3.OperationalError, LookupError) as error:
            if isinstance(error, sqlite3.OperationalError) and "no such" not in str(error):
                raise
            raise DatabaseError(
                f"{path} is of another version than this program. Bring it up to date with: tgllm db init",
                code="database_version",
                path=str(path),
            ) from error
