"""Tables, indexes and triggers of a database, for comparison."""

import re
import sqlite3
from collections.abc import Iterator, Mapping

__all__ = ["Schema", "differences", "row_counts", "schema_of"]

Schema = Mapping[tuple[str, str], object]
"""Definition by type (``table``, ``index``, ``trigger``) and name."""

_COMMENT = re.compile(r"--[^\n]*")


def schema_of(conn: sqlite3.Connection) -> Schema:
    """Return the schema without SQLite's own tables; the order of columns does not matter."""
    rows = conn.execute("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").fetchall()
    return {
        (str(kind), str(name)): _table(conn, str(name)) if kind == "table" else _normalized(str(sql))
        for kind, name, sql in (tuple(row) for row in rows)
    }


def differences(found: Schema, wanted: Schema) -> Iterator[str]:
    """Yield what of ``wanted`` is missing in ``found`` or differs; further objects are ignored."""
    for (kind, name), definition in wanted.items():
        if (kind, name) not in found:
            yield f"missing {kind} {name}"
        elif found[kind, name] != definition:
            yield f"different {kind} {name}"


def row_counts(conn: sqlite3.Connection) -> dict[str, int]:
    """Return the number of rows by table, without virtual tables: those have no rows of their own."""
    names = conn.execute("SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    # A table name can't be a parameter.
    counts = {str(row[0]): conn.execute(f'SELECT count(*) FROM "{row[0]}"') for row in names.fetchall()}  # noqa: S608  of the schema
    return {name: int(count.fetchone()[0]) for name, count in counts.items()}


def _table(conn: sqlite3.Connection, name: str) -> object:
    columns = conn.execute('SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)', (name,))
    references = conn.execute(
        'SELECT "from", "table", "to", on_update, on_delete FROM pragma_foreign_key_list(?)', (name,)
    )
    options = conn.execute("SELECT wr, strict FROM pragma_table_list WHERE name = ? AND schema = 'main'", (name,))
    return tuple(frozenset(tuple(row) for row in cursor) for cursor in (columns, references, options))


def _normalized(sql: str) -> str:
    return " ".join(_COMMENT.sub(" ", sql).split())
