"""Connection for signs of life, which neither the writer nor the event loop's other work can delay."""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, TypeVar

import psycopg

from tgllm.db.engine.unit import Connection
from tgllm.db.postgres.connection import PostgresConnection
from tgllm.db.postgres.errors import explain
from tgllm.db.postgres.store import ServerStore

__all__ = ["Heart"]

T = TypeVar("T")


class Heart:
    """A connection whose statements commit by themselves, so that a process that is stopped leaves no locks.

    It is used on one thread, which waits for the server.
    """

    def __init__(self, store: ServerStore) -> None:
        """Create it; the connection is opened when it is first needed."""
        self._store = store
        self.member = store.member
        """The process, as the other processes see it."""
        self._connection: psycopg.Connection[Any] | None = None

    def run(self, statements: Callable[[Connection], T]) -> T:
        """Run statements, each in a transaction of its own; after an error, the next call connects again.

        Raises:
            DatabaseError: the server can't be used.
        """
        return self._used(lambda connection: statements(PostgresConnection(connection)))

    def together(self, statements: Callable[[Connection], T]) -> T:
        """Run statements in one transaction.

        Raises:
            DatabaseError: the server can't be used.
        """

        def run(connection: "psycopg.Connection[Any]") -> T:
            with connection.transaction():
                return statements(PostgresConnection(connection))

        return self._used(run)

    def unlocked(self, ids: Collection[int]) -> list[int]:
        """Return those of some processes that have no transaction open, in which they would hold their rows.

        Raises:
            DatabaseError: the server can't be used.
        """
        query = "SELECT id FROM replicas WHERE id = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED"
        return self._used(lambda connection: [int(row[0]) for row in connection.execute(query, ([*ids],))])

    def _used(self, work: Callable[["psycopg.Connection[Any]"], T]) -> T:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._store.connect()
            return work(self._connection)
        except psycopg.Error as error:
            self.close()
            explained = explain(error, self._store.place)
            if explained is None:
                raise
            raise explained from error

    def interrupt(self) -> None:
        """End a statement that waits, from another thread."""
        connection = self._connection
        if connection is not None and not connection.closed:
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=1.0)

    def close(self) -> None:
        """Close the connection; a later call opens another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
