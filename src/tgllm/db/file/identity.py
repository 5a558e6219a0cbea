"""Owner and schema version of a database file."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tgllm import __version__
from tgllm.db.engine.errors import DatabaseError, DatabaseTooNew
from tgllm.db.engine.unit import Connection
from tgllm.db.migrations.load import FIRST_VERSION, Migration

__all__ = ["APPLICATION_ID", "latest_version", "mark_program", "program_of", "refuse_foreign", "version_of"]

APPLICATION_ID = 0x74676C6D
"""Application id in SQLite's file header: "tglm" in ASCII."""
_SCOPE, _KEY = "database", "tgllm"


def version_of(conn: sqlite3.Connection) -> int:
    """Return the schema version of the file; 0 for an empty file."""
    return int(conn.execute("PRAGMA user_version").fetchone()[0])


def latest_version(migrations: Sequence[Migration]) -> int:
    """Return the schema version of this program."""
    return migrations[-1].version if migrations else FIRST_VERSION


def mark_program(conn: Connection, now: int) -> None:
    """Store the version of this program, unless it is stored already; by it an older program says what is needed."""
    from tgllm.db.tables import kv  # noqa: PLC0415  short commands that only read never need it

    if kv.get(conn, _SCOPE, _KEY) != __version__:
        kv.set_value(conn, _SCOPE, _KEY, __version__, now)


def program_of(conn: sqlite3.Connection) -> str | None:
    """Return the version of the program that used the file last, or None; the schema may be a newer one."""
    from tgllm.db.tables import kv  # noqa: PLC0415  short commands that only read never need it

    try:
        found = kv.get(conn, _SCOPE, _KEY)
    except (sqlite3.Error, LookupError, ValueError):
        return None
    return found if isinstance(found, str) else None


def refuse_foreign(conn: sqlite3.Connection, path: Path, latest: int) -> None:
    """Check that this program can use the file.

    Raises:
        DatabaseTooNew: its version is above ``latest``.
        DatabaseError: it belongs to another program.
    """
    version = version_of(conn)
    if version > latest:
        program = program_of(conn)
        made = f"It was last used by tgllm {program}, and this is {__version__}. " if program else ""
        newer = f"tgllm {program}" if program else "a newer tgllm"
        raise DatabaseTooNew(
            f"{path} has version {version}, and this tgllm knows versions up to {latest}. {made}"
            f"Install {newer}, or restore the backup that was made before the update: tgllm db restore BACKUP",
            path=str(path),
            found=version,
            known=latest,
            program=program,
        )
    # The order matters: another process may create the file at this moment, and commits tables and id together.
    empty = conn.execute("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)").fetchone()[0]
    ours = conn.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    if not ours and not empty:
        raise DatabaseError(
            f"{path} is the database of another program. Choose another data folder or move that file away.",
            code="database_foreign",
            path=str(path),
        )
