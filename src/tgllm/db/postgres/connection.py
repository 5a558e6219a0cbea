"""Connection for units of work, with the interface of ``sqlite3``'s."""

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from tgllm.db.engine.signals import KeepsSignals
from tgllm.db.engine.unit import Cursor
from tgllm.db.postgres.dialect import adapt, to_postgres
from tgllm.db.postgres.errors import ConstraintViolated

__all__ = ["PostgresConnection"]


class PostgresConnection(KeepsSignals):
    """A connection of psycopg that takes statements of the dialect which SQLite has in common with PostgreSQL."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        """Wrap a connection; the session begins and ends its transactions."""
        self.psycopg = connection

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open in which statements may follow: none has failed."""
        return self.psycopg.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.ACTIVE}

    def execute(self, sql: str, parameters: Any = (), /) -> Cursor:  # noqa: ANN401  a sequence or a mapping
        """Run a statement.

        Raises:
            sqlite3.IntegrityError: a row violates a constraint of the schema.
        """
        statement = to_postgres(sql)
        try:
            return self.psycopg.execute(statement.text.encode(), adapt(statement, parameters))
        except errors.IntegrityError as error:
            raise ConstraintViolated(error.diag.message_primary) from None

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Cursor:
        """Run a statement with each of the parameters.

        Raises:
            sqlite3.IntegrityError: a row violates a constraint of the schema.
        """
        statement = to_postgres(sql)
        cursor = self.psycopg.cursor()
        try:
            cursor.executemany(statement.text.encode(), [adapt(statement, each) for each in parameters])
        except errors.IntegrityError as error:
            raise ConstraintViolated(error.diag.message_primary) from None
        return cursor
