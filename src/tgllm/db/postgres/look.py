"""Looks into a database on a server that change nothing: its tables are neither created nor migrated."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import psycopg
from psycopg import errors

from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.place import Server, shown
from tgllm.db.engine.unit import Connection
from tgllm.db.postgres.connection import PostgresConnection
from tgllm.db.postgres.errors import explain
from tgllm.db.postgres.schema import found_mark, latest_version, migrations
from tgllm.db.postgres.store import connect

__all__ = ["is_there", "live_bots", "look", "opened"]

T = TypeVar("T")

_LIVE: Final = """
    SELECT count(*) FROM replicas
    WHERE kind = 'bot' AND alive_until > (extract(epoch FROM clock_timestamp()) * 1000)::bigint
"""


@contextmanager
def opened(server: Server) -> Generator["psycopg.Connection[Any]"]:
    """Open a connection for the duration of a ``with``; each statement is a transaction unless BEGIN is executed.

    Raises:
        DatabaseError: the server can't be used.
    """
    try:
        with connect(server.url, pooled=server.pooled) as conn:
            yield conn
    except psycopg.Error as error:
        raise explain(error, shown(server.url)) or error from error


def is_there(server: Server) -> bool:
    """Return whether the database has the bot's tables.

    Raises:
        DatabaseTooNew: they are of a newer version.
        DatabaseError: the server can't be used, or the database belongs to another program.
    """
    with opened(server) as conn:
        return _has_tables(conn, server)


def look(server: Server, query: Callable[[Connection], T], nothing: T) -> T:
    """Run a query on a snapshot; return ``nothing`` if the database is empty.

    Raises:
        DatabaseTooNew: the database is of a newer version.
        DatabaseError: the server can't be used, or the database is of an older version or belongs to another program.
    """
    with opened(server) as conn:
        if not _has_tables(conn, server):
            return nothing
        conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            return query(PostgresConnection(conn))
        except (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction, LookupError) as error:
            place = shown(server.url)
            raise DatabaseError(
                f"{place} is of another version than this program. Bring it up to date with: tgllm db init",
                code="database_version",
                place=place,
            ) from error


def live_bots(conn: Connection) -> int:
    """Return how many processes of the bot use the database, those included that have just died."""
    return int(conn.execute(_LIVE).fetchone()[0])


def _has_tables(conn: "psycopg.Connection[Any]", server: Server) -> bool:
    return found_mark(conn, shown(server.url), latest_version(migrations())) is not None
