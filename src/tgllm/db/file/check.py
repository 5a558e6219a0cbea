"""Read-only check of a database file."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.sqlite import connect, in_words
from tgllm.db.file.identity import latest_version, refuse_foreign, version_of
from tgllm.db.file.integrity import damage
from tgllm.db.file.objects import row_counts
from tgllm.db.migrations.load import shipped

__all__ = ["Report", "check"]


@dataclass(frozen=True, slots=True)
class Report:
    """Result of a check."""

    path: Path
    size: int
    """Bytes of the file, without its write-ahead log."""
    version: int
    """Schema version of the file."""
    known_version: int
    """Schema version of this program."""
    journal_mode: str
    """``wal`` in a sound database."""
    damage: tuple[str, ...]
    """Findings of SQLite's integrity check; empty if there are none."""
    broken_references: tuple[str, ...]
    """Rows that refer to missing rows, as ``table: row id -> table``; not checked if there is damage."""
    rows: Mapping[str, int]
    """Number of rows by table; empty if there is damage, since damaged tables can't be counted."""

    @property
    def problems(self) -> tuple[str, ...]:
        """All problems, one sentence each."""
        found = [f"damage: {line}" for line in self.damage]
        found += [f"broken reference: {line}" for line in self.broken_references]
        if self.version != self.known_version:
            remedy = "install a newer tgllm" if self.version > self.known_version else "run `tgllm db init`"
            found.append(
                f"the file has version {self.version}, this tgllm works with version {self.known_version}: {remedy}"
            )
        if self.journal_mode != "wal":
            found.append(f"the journal mode is {self.journal_mode}, not wal: run `tgllm db init`")
        return tuple(found)

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems


def check(path: Path) -> Report:
    """Check the database at ``path``, which may be in use. Blocks, for seconds if the file is large.

    Raises:
        DatabaseError: the file can't be opened, is no database, or belongs to another program.
    """
    with in_words(path), closing(_connect(path)) as conn:
        found = damage(conn)
        if not found:
            refuse_foreign(conn, path, version_of(conn))
        return Report(
            path=path,
            size=path.stat().st_size,
            version=version_of(conn),
            known_version=latest_version(shipped()),
            journal_mode=str(conn.execute("PRAGMA journal_mode").fetchone()[0]),
            damage=found,
            broken_references=() if found else _broken_references(conn),
            rows={} if found else row_counts(conn),
        )


def _connect(path: Path) -> sqlite3.Connection:
    try:
        return connect(path, "ro")
    except DatabaseError as error:
        if error.code != "database_corrupt":
            raise
        raise DatabaseError(
            f"{path} is damaged or no database ({error.__cause__}), so that nothing in it can be looked at. "
            "Stop the bot and restore a backup: tgllm db restore BACKUP",
            code=error.code,
            path=str(path),
        ) from error


def _broken_references(conn: sqlite3.Connection) -> tuple[str, ...]:
    rows = conn.execute("PRAGMA foreign_key_check")
    return tuple(f"{row['table']}: {row['rowid']} -> {row['parent']}" for row in rows)
