"""The database on a server as a store."""

import threading
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tgllm.api.errors import DatabaseError
from tgllm.db.engine.place import Server, shown
from tgllm.db.engine.session import Session, Use
from tgllm.db.postgres.errors import explain
from tgllm.db.postgres.member import Member
from tgllm.db.postgres.rows import adapt_values, named_rows
from tgllm.db.postgres.schema import prepare
from tgllm.db.postgres.session import PostgresSession

__all__ = ["ServerStore", "connect", "open_server", "parameters"]

CONNECT_SECONDS: Final = 5
# A host that has vanished is noticed by these (libpq's parameters; seconds, and milliseconds for the last one).
_ALIVE: Final = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}


def parameters(url: str) -> dict[str, Any]:
    """Return the parameters of a connection: those of the URL, and defaults by which a host that is gone is noticed.

    Raises:
        psycopg.Error: it is no URL of a database.
    """
    defaults = {"connect_timeout": CONNECT_SECONDS, "application_name": "tgllm", "client_encoding": "UTF8", **_ALIVE}
    return {**defaults, **conninfo_to_dict(url)}


def connect(url: str, *, pooled: bool = False) -> "psycopg.Connection[Any]":
    """Open a connection whose rows and values are as SQLite's. Transactions are begun and ended by SQL.

    Args:
        url: of the database.
        pooled: whether a pooler hands each transaction to another connection of the server, so that prepared
            statements are lost.

    Raises:
        psycopg.Error: the server can't be reached or refuses the connection.
    """
    connection = psycopg.connect(**parameters(url), autocommit=True, row_factory=named_rows)
    if pooled:
        connection.prepare_threshold = None
    adapt_values(connection)
    return connection


class ServerStore:
    """A database on a server, which exists and has the schema of this version."""

    path = None

    def __init__(self, server: Server) -> None:
        """Create the store, with a number of its own for this process.

        Raises:
            DatabaseError: the server can't be used.
        """
        self.server = server
        self.place = shown(server.url)
        self.ended = threading.Event()
        """Set when nothing waits for the server any more, because the program ends."""
        self.member = Member(self._new_number())

    @property
    def member_id(self) -> int:
        """Number of this process among those that use the database."""
        return self.member.id

    def open(self, use: Use) -> Session:
        """Open a session.

        Raises:
            DatabaseError: the server can't be used.
        """
        try:
            return PostgresSession(self.connect, use, self.member, self.place, self.ended)
        except psycopg.Error as error:
            raise self.explained(error) from error

    def connect(self) -> "psycopg.Connection[Any]":
        """Open a connection.

        Raises:
            psycopg.Error: the server can't be reached or refuses the connection.
        """
        return connect(self.server.url, pooled=self.server.pooled)

    def explained(self, error: psycopg.Error) -> Exception:
        """Return the error as it says what to do; the same one if it is a fault of the code."""
        return explain(error, self.place) or error

    def _new_number(self) -> int:
        try:
            with self.connect() as connection:
                row = connection.execute("SELECT nextval(pg_get_serial_sequence('replicas', 'id'))").fetchone()
        except psycopg.Error as error:
            raise self.explained(error) from error
        if row is None:
            raise DatabaseError(f"{self.place} has no table of replicas", code="database_version", place=self.place)
        return int(row[0])


def open_server(server: Server, now: int) -> ServerStore:
    """Create the schema or migrate it to this version, and return the store.

    Args:
        server: of the database.
        now: UTC in milliseconds.

    Raises:
        DatabaseError: the server can't be used, or the database is newer than the program or of another program.
    """
    prepare(server.url, now)
    return ServerStore(server)
