"""Owner and schema version of a database file."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tgllm.db.engine.errors import DatabaseError, DatabaseTooNew
from tgllm.db.migrations.load import FIRST_VERSION, Migration

__all__ = ["APPLICATION_ID", "latest_version", "refuse_foreign", "version_of"]

APPLICATION_ID = 0x74676C6D
"""Application id in SQLite's file header: "tglm" in ASCII."""


def version_of(conn: sqlite3.Connection) -> int:
    """Return the schema version of the file; 0 for an empty file."""
    return int(conn.execute("PRAGMA user_version").fetchone()[0])


def latest_version(migrations: Sequence[Migration]) -> int:
    """Return the schema version of this program."""
    return migrations[-1].version if migrations else FIRST_VERSION


def refuse_foreign(conn: sqlite3.Connection, path: Path, latest: int) -> None:
    """Check that this program can use the file.

    Raises:
        DatabaseTooNew: its version is above ``latest``.
        DatabaseError: it belongs to another program.
    """
    version = version_of(conn)
    if version > latest:
        raise DatabaseTooNew(
            f"{path} has version {version}, and this tgllm knows versions up to {latest}. "
            "Install a newer tgllm, or put back the backup that was made before the update.",
            path=str(path),
            found=version,
            known=latest,
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
