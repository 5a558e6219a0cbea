"""A database on a server that is copied or filled. Imports psycopg (extra ``postgres``)."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from tgllm.db.copying.ends import Values, older_version, running_bot
from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.place import Server, shown
from tgllm.db.postgres.connection import PostgresConnection
from tgllm.db.postgres.errors import explain
from tgllm.db.postgres.marks import MARK_TABLE, mark_of, refuse_unfit
from tgllm.db.postgres.schema import latest_version, migrations, prepare
from tgllm.db.postgres.store import connect

__all__ = ["ServerEnd", "reading_server", "writing_server"]

ROWS_TOGETHER: Final = 1000
"""Rows that the server sends at once."""
_ALIVE: Final = """
    SELECT name FROM replicas WHERE kind = 'bot' AND alive_until > extract(epoch FROM clock_timestamp()) * 1000
    ORDER BY id LIMIT 1
"""
# Each transaction that writes begins with a change of its row in replicas, so that this stops all of them; a bot that
# starts meanwhile waits.
_LOCK_FOR_READING: Final = "LOCK TABLE replicas IN SHARE MODE"
_LOCK_FOR_WRITING: Final = "LOCK TABLE replicas IN EXCLUSIVE MODE"
_WAITS: Final = "SET LOCAL lock_timeout = '10s'"
_COLUMNS: Final = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position
"""
_COUNTED: Final = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND is_identity = 'YES' AND table_name <> 'replicas'
"""
_SET_COUNT: Final = (
    "SELECT setval(pg_get_serial_sequence({name}, {column_name}), coalesce(max({column}), 0) + 1, false) FROM {table}"
)


class ServerEnd:
    """A database on a server in a transaction."""

    takes_nul = False

    def __init__(self, connection: "psycopg.Connection[Any]", place: str) -> None:
        """Wrap a connection in a transaction."""
        self.connection = PostgresConnection(connection)
        self.place = place
        self._psycopg = connection

    def tables(self) -> list[str]:
        """Return the names of the tables."""
        query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> %s"
        return [str(row[0]) for row in self._psycopg.execute(query, (MARK_TABLE,))]

    def columns(self, table: str) -> list[str]:
        """Return the columns of a table that are stored and not computed."""
        return [str(row[0]) for row in self._psycopg.execute(_COLUMNS, (table,))]

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Values]:
        """Yield the rows, without reading all of them at once."""
        query = sql.SQL("SELECT {} FROM {}").format(_list(columns), sql.Identifier(table))
        with self._psycopg.cursor(f"copy_{table}", row_factory=tuple_row) as cursor:
            cursor.itersize = ROWS_TOGETHER
            cursor.execute(query)
            yield from cursor

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Values]) -> None:
        """Add rows."""
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _list(columns))
        with self._psycopg.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def finish(self) -> None:
        """Have further rows counted on from the highest ids."""
        for table, column in self._psycopg.execute(_COUNTED).fetchall():
            names = {"name": sql.Literal(table), "column_name": sql.Literal(column)}
            identifiers = {"table": sql.Identifier(table), "column": sql.Identifier(column)}
            self._psycopg.execute(sql.SQL(_SET_COUNT).format(**names, **identifiers))


@contextmanager
def reading_server(server: Server) -> Generator[ServerEnd]:
    """Give the database in a snapshot that no bot changes; it is neither created nor migrated.

    Raises:
        DatabaseError: a bot runs on it, or it can't be read, is not there, or is of another version.
    """
    place = shown(server.url)
    with _in_words(place), connect(server.url, pooled=server.pooled) as conn:
        refuse_unfit(conn, place)
        mark = mark_of(conn)
        if mark is None:
            raise DatabaseError(f"There is no database of a bot on {place}.", code="database_missing", place=place)
        if mark.version != latest_version(migrations()):
            raise older_version(place)
        conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        conn.execute(_WAITS)
        conn.execute(_LOCK_FOR_READING)
        _refuse_running(conn, place)
        yield ServerEnd(conn, place)
        conn.execute("ROLLBACK")


@contextmanager
def writing_server(server: Server, now: int) -> Generator[ServerEnd]:
    """Give the database, whose schema is created or migrated first, in a transaction that is committed after the block.

    Raises:
        DatabaseError: a bot runs on it, or it can't be written, or belongs to another program.
    """
    place = shown(server.url)
    prepare(server.url, now)
    with _in_words(place), connect(server.url, pooled=server.pooled) as conn:
        conn.execute("BEGIN")
        conn.execute(_WAITS)
        conn.execute(_LOCK_FOR_WRITING)
        _refuse_running(conn, place)
        conn.execute("SET CONSTRAINTS ALL DEFERRED")
        yield ServerEnd(conn, place)
        conn.execute("COMMIT")
        # Without it the server would choose ways of reading for empty tables, until it counts by itself.
        conn.execute("ANALYZE")


def _refuse_running(conn: "psycopg.Connection[Any]", place: str) -> None:
    row = conn.execute(_ALIVE).fetchone()
    if row is not None:
        raise running_bot(place, str(row[0]))


@contextmanager
def _in_words(place: str) -> Generator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise explain(error, place) or error from error


def _list(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
