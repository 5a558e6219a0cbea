"""Space that the database takes, by table, and its return to the disk."""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tgllm.db.engine.sqlite import checkpoint, connect, in_words
from tgllm.db.file.objects import row_counts

__all__ = ["Space", "TableSpace", "measure_space", "vacuum"]


@dataclass(frozen=True, slots=True)
class TableSpace:
    """Space of a table."""

    rows: int
    bytes: int | None
    """Pages of the table and its indexes; None if SQLite was built without ``dbstat``."""


@dataclass(frozen=True, slots=True)
class Space:
    """Space of a database."""

    path: Path
    size: int
    """Bytes of the file."""
    log_size: int
    """Bytes of the write-ahead log."""
    free: int
    """Bytes of the file that deleted data have left; they are used again."""
    tables: Mapping[str, TableSpace]
    """By name, the largest first."""


def measure_space(path: Path) -> Space:
    """Measure the database at ``path``, which may be in use. Reads all its pages.

    Raises:
        DatabaseError: the file can't be read.
    """
    with in_words(path), closing(connect(path, "ro")) as conn:
        page = _pragma(conn, "page_size")
        size, free = page * _pragma(conn, "page_count"), page * _pragma(conn, "freelist_count")
        sizes = _sizes(conn)
        tables = {
            name: TableSpace(rows, None if sizes is None else sizes.get(name, 0))
            for name, rows in row_counts(conn).items()
        }
    ordered = sorted(tables.items(), key=lambda item: (-(item[1].bytes or 0), -item[1].rows, item[0]))
    return Space(path, size, _size_of(path.with_name(f"{path.name}-wal")), free, dict(ordered))


def vacuum(path: Path) -> None:
    """Write the database anew without free pages, and truncate its log; the bot must be stopped.

    Raises:
        DatabaseError: the disk has too little space for the copy, or the file can't be written.
    """
    # The copy is as large as the database, and has to be as private.
    os.environ["SQLITE_TMPDIR"] = str(path.parent.absolute())
    with in_words(path), closing(connect(path)) as conn:
        conn.execute("PRAGMA temp_store = FILE")
        conn.execute("VACUUM")
        checkpoint(conn)


def _sizes(conn: sqlite3.Connection) -> Mapping[str, int] | None:
    """Return the bytes of each table with its indexes; None if they are not known."""
    query = (
        "SELECT coalesce(item.tbl_name, stat.name), sum(stat.pgsize) FROM dbstat('main', 1) AS stat"
        " LEFT JOIN sqlite_schema AS item ON item.name = stat.name GROUP BY 1"
    )
    try:
        return {str(row[0]): int(row[1]) for row in conn.execute(query)}
    except sqlite3.OperationalError:
        return None


def _pragma(conn: sqlite3.Connection, name: str) -> int:
    return int(conn.execute(f"PRAGMA {name}").fetchone()[0])


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
