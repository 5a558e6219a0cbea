"""The SQLite file as a store, and its sessions."""

import sqlite3
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Final

from tgllm.db.engine.data_version import DataVersion
from tgllm.db.engine.session import Mode, Session, Use
from tgllm.db.engine.signals import Signal
from tgllm.db.engine.sqlite import checkpoint, connect, in_words, limit_waits

__all__ = ["SqliteSession", "SqliteStore"]

COPY_AFTER: Final = 32
"""Batches of a writer after which the log is copied into the file; each adds some twenty pages to the log."""
LONGEST_LOG: Final = 4000
"""Pages of the log from which on SQLite copies it within a commit, as it does from 1000 on by default."""

_SETTINGS: Final[dict[Use, str]] = {
    "writer": f"PRAGMA wal_autocheckpoint = {LONGEST_LOG}",
    "reader": "PRAGMA query_only = ON",
}
_BEGIN: Final[dict[Mode, str]] = {"read": "BEGIN", "write": "BEGIN IMMEDIATE", "claim": "BEGIN IMMEDIATE"}


class SqliteSession:
    """A connection to the file."""

    dies_of_errors = False

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Take over an open connection."""
        self.connection = connection
        self._path = path
        self._version = DataVersion()
        self._uncopied = 0
        """Batches since the log was copied into the file."""
        self._waits = True
        """Whether a commit waits for the disk."""

    @property
    def is_open(self) -> bool:
        """Whether a transaction is open."""
        return self.connection.in_transaction

    def begin(self, mode: Mode, *, durable: bool) -> None:
        """Begin a transaction."""
        if not durable:
            # SQLite: in WAL mode, NORMAL skips the fsync at commit; the next commit with FULL syncs the whole log.
            self.connection.execute("PRAGMA synchronous = NORMAL")
            self._waits = False
        self.connection.execute(_BEGIN[mode])

    def commit(self, signals: AbstractSet[Signal]) -> None:  # noqa: ARG002  other processes look for commits themselves
        """Commit."""
        self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """Roll back what is open. SQLite rolls back by itself on some errors, such as a full disk."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        if not self._waits:
            self._waits = True
            self.connection.execute("PRAGMA synchronous = FULL")

    def savepoint(self) -> None:
        """Set a savepoint."""
        self.connection.execute("SAVEPOINT unit")

    def undo(self) -> None:
        """Undo everything since the last savepoint."""
        self.connection.execute("ROLLBACK TO unit")

    def is_lost(self, error: BaseException) -> bool:  # noqa: ARG002  the connection itself says it
        """Return whether SQLite has rolled back the whole transaction."""
        return not self.connection.in_transaction

    def repeats(self, error: BaseException, attempt: int) -> bool:  # noqa: ARG002  with one writer there are no conflicts
        """Return False: no transaction has to run again."""
        return False

    def words(self) -> AbstractContextManager[None]:
        """Return the context in which errors of SQLite and of the disk say what to do."""
        return in_words(self._path)

    def limit_waits(self, seconds: float) -> None:
        """Set how long a statement waits for another process's transaction."""
        limit_waits(self.connection, seconds)

    def changed(self) -> bool:
        """Return whether another process has committed since the last call."""
        return self._version.changed(self.connection)

    def checkpoint(self) -> bool:
        """Copy the write-ahead log into the file and truncate it."""
        return checkpoint(self.connection)

    def after_write(self) -> None:
        """Copy the log into the file now and then.

        SQLite would do it within the commit that makes the log too long, and the units of that commit would wait for
        two more synchronisations of the disk.
        """
        self._uncopied += 1
        if self._uncopied < COPY_AFTER:
            return
        self._uncopied = 0
        # What prevents it is reported by the next commit, or passes, such as a reader of old pages.
        with suppress(sqlite3.Error):
            self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


class SqliteStore:
    """The file at a path, which exists and has the schema of this version."""

    server = None
    member_id = None

    def __init__(self, path: Path) -> None:
        """Create the store; nothing is opened."""
        self.path = path

    @property
    def place(self) -> str:
        """The path."""
        return str(self.path)

    def open(self, use: Use) -> Session:
        """Open a connection.

        Raises:
            DatabaseError: the file can't be used.
        """
        connection = connect(self.path)
        try:
            connection.execute(_SETTINGS[use])
        except BaseException:
            connection.close()
            raise
        return SqliteSession(self.path, connection)
