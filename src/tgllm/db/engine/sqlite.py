"""Plain SQLite: how every connection is opened, and what a transaction is."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from tgllm.db.engine.errors import DatabaseError, explain

__all__ = ["Mode", "checkpoint", "connect", "in_transaction", "in_words", "require_transaction", "run_script"]

T = TypeVar("T")

Mode = Literal["rw", "ro"]

BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process's transaction: a bot that gives up waiting ends."""
CHECKPOINT_TIMEOUT = 1.0
"""Seconds that ``checkpoint`` waits for those who read: meanwhile nobody can write."""

PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    # Telegram forgets an update once it is confirmed, so a commit has to survive a power cut.
    "PRAGMA synchronous = FULL",
    # Savepoints keep copies of the pages that they change: in a file outside of the data folder otherwise, where what
    # people have said would lie beyond every deletion, and which costs half of all writes.
    "PRAGMA temp_store = MEMORY",
    # What people have had deleted must not stay readable in the file.
    "PRAGMA secure_delete = ON",
)
"""What every connection sets for itself; WAL is a property of the file and set when the file is made."""


@contextmanager
def in_words(path: Path) -> Generator[None]:
    """Turn what SQLite and the system say about the file into sentences.

    Raises:
        DatabaseError: the file can't be used. Errors that are the code's own pass through as they are.
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

    It may be used by one thread at a time, which need not be the one that opened it. Transactions are begun and ended
    by SQL only. Rows are read by column name.

    Raises:
        DatabaseError: the file does not exist, is a folder, is no database or can't be opened.
    """
    # As a URI with a mode, since a bare path would make a file that is missing.
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with in_words(path):
        conn = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
        try:
            conn.row_factory = sqlite3.Row
            for pragma in PRAGMAS:
                conn.execute(pragma)
            # The first read is what finds out whether the file is a database.
            conn.execute("PRAGMA schema_version").fetchone()
        except BaseException:
            conn.close()
            raise
        return conn


def in_transaction(conn: sqlite3.Connection, unit: Callable[[sqlite3.Connection], T], begin: str) -> T:
    """Run ``unit`` between ``begin`` and COMMIT; whatever it raises rolls everything back and passes through.

    Raises:
        DatabaseError: the unit ended the transaction by itself, so that its statements are not one.
    """
    conn.execute(begin)
    try:
        result = unit(conn)
        require_transaction(conn)
        conn.execute("COMMIT")
    except BaseException:
        # A full disk or an I/O error may have rolled back already.
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise
    return result


def checkpoint(conn: sqlite3.Connection) -> bool:
    """Move what the write-ahead log holds into the file; False where somebody reads so that a part has to stay."""
    conn.execute(f"PRAGMA busy_timeout = {int(CHECKPOINT_TIMEOUT * 1000)}")
    try:
        # SQLite: the first column is 1 where the checkpoint could not be completed.
        return not conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        conn.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")


def require_transaction(conn: sqlite3.Connection) -> None:
    """See to it that statements are part of the transaction that they were meant for.

    Raises:
        DatabaseError: they are not.
    """
    if not conn.in_transaction:
        raise DatabaseError("a unit of work ended its own transaction", code="database_unit")


def run_script(conn: sqlite3.Connection, script: str) -> None:
    """Execute the statements of ``script`` one by one, within the transaction that is open.

    ``executescript`` can't serve: it commits an open transaction before it starts.

    Raises:
        sqlite3.Error: a statement failed, or ended the transaction; the statements after it have not run.
    """
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            conn.execute(statement)
            if not conn.in_transaction:
                raise sqlite3.ProgrammingError("the script ended the transaction that it runs in")
            statement = ""
