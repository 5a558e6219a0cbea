"""Checks of a database on a server, and its size; they change nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from tgllm.api.clock import Clock
from tgllm.db.engine.place import Server, shown
from tgllm.db.postgres.connection import PostgresConnection
from tgllm.db.postgres.look import live_bots, opened
from tgllm.db.postgres.marks import MARK_TABLE, mark_of, refuse_unfit
from tgllm.db.postgres.schema import latest_version, migrations

__all__ = ["CONNECTIONS", "ServerFacts", "ServerReport", "TableSize", "check", "facts", "sizes"]

CONNECTIONS: Final = 4
"""Connections of each replica: for writes, reads, its lease, and LISTEN."""

_STANDBY: Final = "SELECT pg_is_in_recovery()"
_TABLES: Final = """
    SELECT relname AS name, pg_total_relation_size(pg_class.oid) AS bytes
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = current_schema() AND relkind = 'r' AND relname <> %s ORDER BY 2 DESC, 1
"""
# A concurrent creation that failed leaves an index that is not used; a constraint may be added without a check.
_INVALID: Final = """
    SELECT 'index ' || indexrelid::regclass || ' is not valid: rebuild it with REINDEX INDEX ' || indexrelid::regclass
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = current_schema() AND NOT indisvalid
    UNION ALL
    SELECT 'constraint ' || conname || ' of ' || conrelid::regclass || ' is not checked: run ALTER TABLE '
        || conrelid::regclass || ' VALIDATE CONSTRAINT ' || conname
    FROM pg_constraint JOIN pg_namespace ON pg_namespace.oid = connamespace
    WHERE nspname = current_schema() AND NOT convalidated
    UNION ALL
    SELECT 'triggers of ' || tgrelid::regclass || ' are turned off: run ALTER TABLE ' || tgrelid::regclass
        || ' ENABLE TRIGGER ALL'
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = current_schema() AND tgenabled = 'D' GROUP BY tgrelid
"""
_ROOM: Final = """
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used
"""


@dataclass(frozen=True, slots=True)
class ServerReport:
    """Result of a check."""

    place: str
    """The URL without its password."""
    server_version: str
    """Version of PostgreSQL."""
    size: int
    """Bytes of the whole database."""
    version: int
    """Version of the schema; 0 if there are no tables yet."""
    known_version: int
    """Version of this program's schema."""
    problems: tuple[str, ...]
    """A sentence each."""
    rows: Mapping[str, int]
    """Number of rows by table."""

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server says of itself, and how quickly."""

    server_version: str
    seconds: float
    """Time of one question and its answer."""
    is_standby: bool
    free_connections: int
    """Connections that can still be opened."""
    bots: int | None
    """Live processes of the bot; None if there are no tables yet."""


@dataclass(frozen=True, slots=True)
class TableSize:
    """Space of a table."""

    rows: int
    bytes: int
    """With its indexes and long values."""


def check(server: Server) -> ServerReport:
    """Check version, encoding, indexes and constraints, and read each table. Blocks, for seconds if they are large.

    Raises:
        DatabaseError: the server can't be used or is too old, or the database has another encoding.
    """
    place = shown(server.url)
    with opened(server) as conn:
        refuse_unfit(conn, place)
        mark, known = mark_of(conn), latest_version(migrations())
        problems: list[str] = []
        if _value(conn, _STANDBY):
            problems.append("the server is a standby, which takes no writes: set database.url to the primary server")
        if mark is None:
            problems.append("there are no tables yet: run `tgllm db init`")
        elif mark.version != known:
            remedy = "install a newer tgllm" if mark.version > known else "run `tgllm db init`"
            problems.append(f"the database has version {mark.version}, this tgllm works with version {known}: {remedy}")
        problems += [str(row[0]) for row in conn.execute(_INVALID)]
        return ServerReport(
            place,
            server_version=_version(conn),
            size=_size(conn),
            version=0 if mark is None else mark.version,
            known_version=known,
            problems=tuple(problems),
            rows={} if mark is None else {name: table.rows for name, table in _tables(conn).items()},
        )


def sizes(server: Server) -> tuple[int, Mapping[str, TableSize]]:
    """Return the bytes of the database, and the space of each table, the largest first.

    Raises:
        DatabaseError: the server can't be used.
    """
    with opened(server) as conn:
        return _size(conn), _tables(conn)


def facts(server: Server, clock: Clock) -> ServerFacts:
    """Return the state of the server.

    Raises:
        DatabaseError: the server can't be used.
    """
    with opened(server) as conn:
        began = clock.monotonic()
        is_standby = bool(_value(conn, _STANDBY))
        seconds = clock.monotonic() - began
        room = conn.execute(_ROOM).fetchone()
        has_tables = mark_of(conn) is not None
        return ServerFacts(
            _version(conn),
            seconds,
            is_standby,
            0 if room is None else max(0, int(room[0]) - int(room[1])),
            live_bots(PostgresConnection(conn)) if has_tables else None,
        )


def _tables(conn: "psycopg.Connection[Any]") -> dict[str, TableSize]:
    rows = conn.execute(_TABLES, (MARK_TABLE,)).fetchall()
    # Reading all rows finds damaged pages, where the server has checksums.
    return {str(name): TableSize(_count(conn, str(name)), int(size)) for name, size in rows}


def _count(conn: "psycopg.Connection[Any]", table: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    row = conn.execute(query).fetchone()
    return 0 if row is None else int(row[0])


def _size(conn: "psycopg.Connection[Any]") -> int:
    return int(_value(conn, "SELECT pg_database_size(current_database())"))


def _version(conn: "psycopg.Connection[Any]") -> str:
    return str(_value(conn, "SHOW server_version")).split(" ", 1)[0]


def _value(conn: "psycopg.Connection[Any]", query: str) -> Any:  # noqa: ANN401  as the server gives it
    row = conn.execute(query.encode()).fetchone()
    return None if row is None else row[0]
