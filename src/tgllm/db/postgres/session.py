"""Session on a server: transactions, reconnection, and the outcome of commits whose answer was lost."""

import random
import threading
from collections.abc import Callable, Generator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from psycopg.pq import TransactionStatus

from tgllm.db.engine.session import Mode, Use
from tgllm.db.engine.signals import Signal
from tgllm.db.postgres.connection import PostgresConnection
from tgllm.db.postgres.errors import Conflict, ConstraintViolated, ReplicaLost, explain
from tgllm.db.postgres.member import Member

__all__ = ["CHANNEL", "PostgresSession"]

CHANNEL: Final = "tgllm"
"""Channel of NOTIFY by which processes wake each other."""
MOST_ATTEMPTS: Final = 12
"""Attempts of a transaction that conflicts with others, before its callers get the error."""
_ALONE_AFTER: Final = 3
"""Attempts after which it keeps other writes away while it runs: others that follow each other quickly could make it
fail without end."""
_ALONE: Final = "; LOCK TABLE replicas IN EXCLUSIVE MODE"
"""Waits for each open write, and stops new ones: each begins with a change of that table (``Member.sign``). PostgreSQL:
the snapshot is taken after a LOCK that comes first."""
_PAUSES: Final = (0.001, 0.05)
"""Shortest and longest pause between two of them, in seconds."""
_RESOLVE_SECONDS: Final = 0.5
"""Pause between two questions about the outcome of a commit."""

_BEGIN: Final[dict[Mode, str]] = {
    "read": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "write": "BEGIN ISOLATION LEVEL SERIALIZABLE",
    "claim": "BEGIN ISOLATION LEVEL READ COMMITTED",
}
# SERIALIZABLE locks what a statement has looked at: of a table that is read from its beginning to its end that is the
# whole table, and every other transaction that writes to it conflicts. Small tables would be read so.
_SETTINGS: Final = "SET LOCAL enable_seqscan = off; SET LOCAL jit = off"
_NEVER_IDLE: Final = "SET LOCAL idle_in_transaction_session_timeout = '15s'"
"""A process that is stopped within a transaction keeps its locks, also that of its row in ``replicas``: others could
not remove the row until it goes on."""

Open = Callable[[], "psycopg.Connection[Any]"]


class PostgresSession:
    """A connection to the server, which is replaced when it is lost."""

    dies_of_errors = True

    def __init__(self, open_connection: Open, use: Use, member: Member, place: str, ended: threading.Event) -> None:
        """Open the first connection.

        Args:
            open_connection: opens one.
            use: what the session is for; only a writer counts as a member.
            member: the process as others see it.
            place: the server, for messages.
            ended: set when nothing waits for the server any more.

        Raises:
            psycopg.Error: the server can't be reached.
        """
        self._open = open_connection
        self._use = use
        self._member = member
        self._place = place
        self._ended = ended
        self.connection = PostgresConnection(open_connection())
        self._transaction: int | None = None
        """Id of the open transaction, by which its outcome is found out."""
        self._others: object = None
        self._is_alone = False
        """Whether the next transaction runs alone."""
        self._mode: Mode = "read"
        """Of the latest transaction."""

    @property
    def is_open(self) -> bool:
        """Whether a transaction is open that has not failed."""
        return self._status() in {TransactionStatus.INTRANS, TransactionStatus.ACTIVE}

    def begin(self, mode: Mode, *, durable: bool) -> None:  # noqa: ARG002  part of the Session; each commit waits for the disk
        """Begin a transaction, as a member if it writes.

        Each commit waits for the disk: the server may lose others in a crash, and unlike one of the machine with a file
        that does not end the bot, which would go on with work that is free to be claimed again.

        Raises:
            ReplicaLost: others have given up this process.
            psycopg.Error: the server can't be reached.
        """
        self._mode = mode
        if self.connection.psycopg.closed or self._status() == TransactionStatus.UNKNOWN:
            self.connection.psycopg.close()
            self.connection.psycopg = self._open()
        begin = f"{_BEGIN[mode]}; {_SETTINGS}"
        if mode != "read":
            # In the same message: what a transaction costs most is the way to the server and back.
            settings = f"; {_NEVER_IDLE}{_ALONE if self._is_alone else ''}"
            begin = f"{begin}{settings}; {self._member.sign()}"
        # Constants and numbers only.
        cursor = self.connection.psycopg.execute(begin.encode())
        if mode == "read":
            return
        while cursor.nextset():
            pass
        row = cursor.fetchone()
        if row is None:
            raise ReplicaLost(
                "This process has given no sign of life for too long, so that others have taken over its work. "
                "Nothing is lost; start it again.",
                replica=self._member.id,
            )
        self._transaction = int(row[0])

    def commit(self, signals: AbstractSet[Signal]) -> None:
        """Commit, and wake other processes with the signals.

        Raises:
            psycopg.Error: the transaction was not committed, or the program ends before its outcome is known.
        """
        connection = self.connection.psycopg
        for signal in sorted(signals):
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, f"{self._member.id}:{signal}"))
        transaction, self._transaction = self._transaction, None
        try:
            connection.execute("COMMIT")
        except psycopg.OperationalError as error:
            # A server that has refused the commit says why. Without an answer it may be committed.
            if error.sqlstate is not None and not error.sqlstate.startswith(("57P", "08")):
                raise
            if transaction is None or not self._was_committed(transaction):
                raise

    def rollback(self) -> None:
        """Roll back what is open; a connection that is lost has nothing open."""
        self._transaction = None
        self._is_alone = False
        if self._status() in {TransactionStatus.IDLE, TransactionStatus.UNKNOWN}:
            return
        with suppress(psycopg.OperationalError):
            self.connection.psycopg.execute("ROLLBACK")

    def savepoint(self) -> None:
        """Set a savepoint."""
        self.connection.psycopg.execute("SAVEPOINT unit")

    def undo(self) -> None:
        """Undo everything since the last savepoint."""
        self.connection.psycopg.execute("ROLLBACK TO SAVEPOINT unit")

    def is_lost(self, error: BaseException) -> bool:
        """Return whether the whole transaction has to end."""
        return isinstance(error, Conflict) or self._status() == TransactionStatus.UNKNOWN

    def repeats(self, error: BaseException, attempt: int) -> bool:
        """Return whether the transaction conflicts with another one and runs again, after a pause."""
        # Claims don't see what others have claimed since: a unique index tells them.
        is_taken = self._mode == "claim" and isinstance(error, ConstraintViolated)
        if not (is_taken or isinstance(error, Conflict)) or attempt >= MOST_ATTEMPTS:
            return False
        self._is_alone = attempt >= _ALONE_AFTER
        # Longer from attempt to attempt, and by chance, so that the same two don't meet again.
        longest = min(_PAUSES[1], _PAUSES[0] * 2**attempt)
        self._ended.wait(random.uniform(_PAUSES[0], longest))  # noqa: S311  no secret
        return True

    @contextmanager
    def words(self) -> Generator[None]:
        """Translate errors of the server into messages that say what to do.

        Raises:
            DatabaseError: the server can't be used. Errors in the code, such as wrong SQL, pass through unchanged.
        """
        try:
            yield
        except psycopg.IntegrityError as error:
            # Of a rule that is looked at when the transaction is committed.
            raise ConstraintViolated(str(error).strip()) from error
        except psycopg.Error as error:
            explained = explain(error, self._place)
            if explained is None:
                raise
            raise explained from error

    def limit_waits(self, seconds: float) -> None:
        """Do nothing: the server has limits of its own for each statement."""

    def changed(self) -> bool:
        """Return whether another process has committed since the last call."""
        before = self._others
        self._others = tuple(self.connection.psycopg.execute(self._member.others().encode()).fetchone() or ())
        return before is not None and before != self._others

    def checkpoint(self) -> bool:
        """Return True: old pages are the server's business."""
        return True

    def after_write(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Close the connection."""
        self.connection.psycopg.close()

    def _status(self) -> TransactionStatus:
        return self.connection.psycopg.info.transaction_status

    def _was_committed(self, transaction: int) -> bool:
        """Ask a new connection for the outcome of a commit whose answer was lost; wait until the server answers.

        The units of the transaction run again only if they were not committed: rows that they add would be there twice.
        PostgreSQL: txid_status remembers the outcome for as long as the server keeps it, also across its restart.

        Raises:
            psycopg.Error: the program ends before the server can be reached.
        """
        while True:
            try:
                self.connection.psycopg.close()
                self.connection.psycopg = self._open()
                row = self.connection.psycopg.execute("SELECT txid_status(%s::bigint)", (transaction,)).fetchone()
            except psycopg.Error:
                if self._ended.wait(_RESOLVE_SECONDS):
                    raise
                continue
            if row is None or row[0] != "in progress":
                return row is not None and row[0] == "committed"
            self._ended.wait(_RESOLVE_SECONDS)
