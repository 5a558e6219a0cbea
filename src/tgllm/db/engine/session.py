"""A connection with control over its transactions, which units of work don't have."""

from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol

from tgllm.db.engine.place import Server
from tgllm.db.engine.signals import Signal
from tgllm.db.engine.unit import Connection

__all__ = ["Mode", "Session", "Store", "Use"]

Mode = Literal["read", "write", "claim"]
"""``read``: a snapshot. ``write``: as if no other transaction ran at the same time. ``claim``: rows that another
transaction has locked are passed over, and what others commit is seen at once; for work that several processes share
out among themselves. SQLite has one writer at a time, so that a claim is a write there."""

Use = Literal["writer", "reader"]


class Session(Protocol):
    """A connection that one thread uses, with its transactions."""

    @property
    def connection(self) -> Connection:
        """What units of work get."""
        ...

    @property
    def dies_of_errors(self) -> bool:
        """Whether an error ends the transaction, unless ``undo`` follows, also one that only reads."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether a transaction is open and can be committed."""
        ...

    def begin(self, mode: Mode, *, durable: bool) -> None:
        """Begin a transaction; if it is not durable, its commit need not wait for the disk.

        Raises:
            DatabaseError: the database can't be used.
        """
        ...

    def commit(self, signals: AbstractSet[Signal]) -> None:
        """Commit; other processes that use the database get the signals too, where there are any."""
        ...

    def rollback(self) -> None:
        """Roll back; without an open transaction, do nothing."""
        ...

    def savepoint(self) -> None:
        """Set a savepoint, to which ``undo`` returns. Savepoints are released by the commit."""
        ...

    def undo(self) -> None:
        """Undo everything since the last savepoint."""
        ...

    def is_lost(self, error: BaseException) -> bool:
        """Return whether the transaction can't go on after an error of a unit, not even after ``undo``."""
        ...

    def repeats(self, error: BaseException, attempt: int) -> bool:
        """Return whether a transaction with an error should run again from its beginning, after a pause if so.

        Args:
            error: as it left ``words``.
            attempt: number of the attempts that have failed, from 1.
        """
        ...

    def words(self) -> AbstractContextManager[None]:
        """Return the context in which errors of the database say what to do."""
        ...

    def limit_waits(self, seconds: float) -> None:
        """Set how long a statement waits for a lock of another process."""
        ...

    def changed(self) -> bool:
        """Return whether another process has committed since the last call; the first call returns False."""
        ...

    def checkpoint(self) -> bool:
        """Truncate the log of old pages, where there is one; return False if a reader prevents it."""
        ...

    def after_write(self) -> None:
        """Do what is due after a batch of writes, when its callers have their results."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class Store(Protocol):
    """Where a database is, and how it is opened."""

    @property
    def place(self) -> str:
        """Where it is, for messages: a path, or a URL without its password."""
        ...

    @property
    def path(self) -> Path | None:
        """The file; None for a server."""
        ...

    @property
    def server(self) -> Server | None:
        """The server; None for a file."""
        ...

    @property
    def member_id(self) -> int | None:
        """Number of this process among those that use a server's database, never given again; None for a file."""
        ...

    def open(self, use: Use) -> Session:
        """Open a connection.

        Raises:
            DatabaseError: the database can't be used.
        """
        ...
