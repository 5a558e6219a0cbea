"""What a database on a server says of its owner and of the version of its schema."""

from dataclasses import dataclass
from typing import Any, Final

import psycopg

from tgllm.db.engine.errors import DatabaseError

__all__ = ["MARK_TABLE", "Mark", "has_other_tables", "mark_of", "refuse_unfit", "set_mark"]

MARK_TABLE: Final = "tgllm_schema"
"""The table with one row that says so; a database without it has no schema of this program."""
OLDEST_SERVER: Final = 13
_CREATE: Final = """
    CREATE TABLE IF NOT EXISTS tgllm_schema (
        version BIGINT NOT NULL, program TEXT NOT NULL, functions TEXT NOT NULL, updated_at BIGINT NOT NULL
    )
"""
_HAS_TABLE: Final = """
    SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = current_schema() AND relname = %s
"""
# Not those of extensions, such as pg_stat_statements.
_OTHERS: Final = """
    SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = current_schema() AND relkind IN ('r', 'p', 'f', 'v', 'm')
        AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    LIMIT 1
"""

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """Row of the table."""

    version: int
    """Version of the schema."""
    program: str
    """Version of the program that has made the latest change of the schema."""
    functions: str
    """Digest of the file of functions."""


def mark_of(conn: Connection) -> Mark | None:
    """Return what the database says of its schema; None if it has none."""
    if conn.execute(_HAS_TABLE, (MARK_TABLE,)).fetchone() is None:
        return None
    row = conn.execute("SELECT version, program, functions FROM tgllm_schema").fetchone()
    return None if row is None else Mark(int(row[0]), str(row[1]), str(row[2]))


def set_mark(conn: Connection, mark: Mark, now: int) -> None:
    """Store what the database says of its schema."""
    conn.execute(_CREATE)
    conn.execute("DELETE FROM tgllm_schema")
    row = (mark.version, mark.program, mark.functions, now)
    conn.execute("INSERT INTO tgllm_schema (version, program, functions, updated_at) VALUES (%s, %s, %s, %s)", row)


def has_other_tables(conn: Connection) -> bool:
    """Return whether the schema has tables or views."""
    return conn.execute(_OTHERS).fetchone() is not None


def refuse_unfit(conn: Connection, place: str) -> None:
    """Check that the server and the database can hold the tables.

    Raises:
        DatabaseError: the server is too old, the database has another encoding, or there is no schema.
    """
    if (version := conn.info.server_version // 10_000) < OLDEST_SERVER:
        raise DatabaseError(
            f"{place} is on PostgreSQL {version}. The bot needs version {OLDEST_SERVER} or later.",
            code="database_server_version",
            place=place,
        )
    if (encoding := conn.info.parameter_status("server_encoding")) != "UTF8":
        raise DatabaseError(
            f"{place} has the encoding {encoding}. Make one for the bot with: createdb -E UTF8 -T template0 NAME",
            code="database_encoding",
            place=place,
        )
    schema = conn.execute("SELECT current_schema()").fetchone()
    if schema is None or schema[0] is None:
        raise DatabaseError(
            f"{place} has no schema for the bot's tables. Make the one of its search_path with: CREATE SCHEMA NAME",
            code="database_no_schema",
            place=place,
        )
