"""SQLite connections and transactions."""

import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from tgllm.db.engine.errors import DatabaseError, explain
from tgllm.db.engine.signals import SignalConnection

__all__ = [
    "Mode",
    "checkpoint",
    "connect",
    "in_transaction",
    "in_words",
    "limit_waits",
    "require_transaction",
    "rewrite_version",
    "run_script",
    "sync_log",
]

T = TypeVar("T")

Mode = Literal["rw", "ro"]

BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process's transaction."""
CHECKPOINT_TIMEOUT = 1.0
"""Seconds that ``checkpoint`` waits for readers; writes are blocked meanwhile."""

PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    # Telegram deletes an update once it is confirmed, so a commit has to survive a power failure.
    "PRAGMA synchronous = FULL",
    # Savepoints copy the pages that they change. By default the copies go to a file outside of the data folder, where
    # deleted content would survive; they are half of all writes.
    "PRAGMA temp_store = MEMORY",
    # Deleted content must not stay readable in the file.
    "PRAGMA secure_delete = ON",
)
"""Settings of each connection; WAL is a property of the file and set when the file is created."""


@contextmanager
def in_words(path: Path) -> Generator[None]:
    """Translate errors of SQLite and the operating system into messages that say what to do.

    Raises:
        DatabaseError: the file can't be used. Errors in the code, such as wrong SQL, pass through unchanged.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        explained = explain(error, path)
        if explained is None:
            raise
        raise explained from error


def connect(path: Path, mode: Mode = "rw") -> sqlite3.Connection:
    """Open a connection; the caller closes it.

    It may be used by one thread at a time, not necessarily the one that opened it. Transactions are begun and ended by
    SQL only. Rows are accessed by column name.

    Raises:
        DatabaseError: the file does not exist, is a folder, is no database or can't be opened.
    """
    # A URI with a mode, since a plain path would create a missing file.
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with in_words(path):
        conn = sqlite3.connect(
            uri,
            uri=True,
            timeout=BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
            factory=SignalConnection,
        )
        try:
            conn.row_factory = sqlite3.Row
            for pragma in PRAGMAS:
                conn.execute(pragma)
            # Only a read shows whether the file is a database.
            conn.execute("PRAGMA schema_version").fetchone()
        except BaseException:
            conn.close()
            raise
        return conn


def in_transaction(conn: sqlite3.Connection, unit: Callable[[sqlite3.Connection], T], begin: str) -> T:
    """Run ``unit`` between ``begin`` and COMMIT; roll back and re-raise if it raises.

    Raises:
        DatabaseError: the unit ended the transaction itself.
    """
    conn.execute(begin)
    try:
        result = unit(conn)
        require_transaction(conn)
        conn.execute("COMMIT")
    except BaseException:
        # SQLite rolls back by itself on some errors, such as a full disk.
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise
    return result


def checkpoint(conn: sqlite3.Connection) -> bool:
    """Copy the write-ahead log into the file and truncate it; return False if a reader prevents a part of that."""
    before = int(conn.execute("PRAGMA busy_timeout").fetchone()[0])
    limit_waits(conn, CHECKPOINT_TIMEOUT)
    try:
        # SQLite: the first column is 1 if the checkpoint could not be completed.
        return not conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        limit_waits(conn, before / 1000)


def sync_log(path: Path) -> bool:
    """Wait until what was committed to a database is on the disk; return False if that is not possible.

    SQLite: a commit with ``synchronous = FULL`` appends to the write-ahead log and then synchronises its file, nothing
    else. SQLite holds no lock on that file, which closing it here would release.
    """
    try:
        log = os.open(f"{path}-wal", os.O_RDWR)
    except OSError:
        return False
    try:
        getattr(os, "fdatasync", os.fsync)(log)
    except OSError:
        return False
    finally:
        os.close(log)
    return True


def rewrite_version(conn: sqlite3.Connection) -> None:
    """Write to the file without a change of its content; a durable commit of this synchronises all earlier ones."""
    (version,) = conn.execute("PRAGMA user_version").fetchone()
    conn.execute(f"PRAGMA user_version = {int(version)}")


def limit_waits(conn: sqlite3.Connection, seconds: float) -> None:
    """Set how long a statement waits for another process's transaction."""
    conn.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def require_transaction(conn: sqlite3.Connection) -> None:
    """Check that a transaction is still open after a unit of work.

    Raises:
        DatabaseError: the unit ended it.
    """
    if not conn.in_transaction:
        raise DatabaseError("a unit of work ended its own transaction", code="database_unit")


def run_script(conn: sqlite3.Connection, script: str) -> None:
    """Execute the statements of ``script`` one by one in the open transaction.

    ``executescript`` is no alternative: it commits an open transaction first.

    Raises:
        sqlite3.Error: a statement failed or ended the transaction; the following statements were not run.
    """
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            conn.execute(statement)
            if not conn.in_transaction:
                raise sqlite3.ProgrammingError("the script ended the transaction that it runs in")
            statement = ""
