"""Copy of a database that is in use."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from tgllm.db.engine.errors import BackupFailed
from tgllm.db.engine.sqlite import connect, in_words
from tgllm.db.file.identity import latest_version, refuse_foreign, version_of
from tgllm.db.file.integrity import damage
from tgllm.db.file.presence import unmark_run
from tgllm.db.migrations.load import shipped
from tgllm.db.queries.scrub import scrub_answers

__all__ = ["UNFINISHED", "backup", "copy_to", "discard_copy", "write_copy"]

UNFINISHED = ".unfinished"
"""Ending of a copy that is being written."""


def backup(path: Path, target: Path) -> None:
    """Copy the database at ``path`` to the new file ``target`` (mode 0600), and check the copy.

    The copy is one file without a write-ahead log. The database may be in use meanwhile. This call blocks; on a running
    loop use ``asyncio.to_thread``.

    Raises:
        BackupFailed: ``target`` exists already, the database is empty, or the copy is damaged.
        DatabaseError: the database can't be read, is of a newer version or belongs to another program, or ``target``
            can't be written.
    """
    with in_words(path), closing(connect(path, "ro")) as conn:
        refuse_foreign(conn, path, latest_version(shipped()))
        if not version_of(conn):
            raise BackupFailed(f"{path} is empty. Make the database with: tgllm db init", path=str(path))
        copy_to(conn, target)


def copy_to(conn: sqlite3.Connection, target: Path) -> None:
    """Copy the database of ``conn`` to ``target``; see ``backup``."""
    if target.exists():
        raise BackupFailed(f"{target} exists already. Choose another name for the backup.", path=str(target))
    unfinished = target.with_name(f"{target.name}{UNFINISHED}")
    with in_words(target):
        try:
            write_copy(conn, unfinished)
            unfinished.replace(target)
        except BaseException:
            discard_copy(target)
            raise


def discard_copy(target: Path) -> None:
    """Remove a copy with all that a killed process may have left beside it, which holds the same data."""
    for path in (target.with_name(f"{target.name}{UNFINISHED}"), target):
        for end in ("-wal", "-shm", "-journal", ""):
            path.with_name(f"{path.name}{end}").unlink(missing_ok=True)


def write_copy(conn: sqlite3.Connection, target: Path) -> None:
    """Copy the database of ``conn`` into ``target`` in place of what is there, and check it.

    A copy that failed is left to the caller, who removes it and translates the errors of SQLite and of the system.
    """
    discard_copy(target)
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(connect(target)) as copy:
        conn.backup(copy)
        # Not WAL, so that the copy is a single file; in memory, so that no journal file keeps scrubbed content.
        copy.execute("PRAGMA journal_mode = MEMORY")
        _verify(copy, target)
        scrub_answers(copy)
        unmark_run(copy)


def _verify(copy: sqlite3.Connection, target: Path) -> None:
    found = damage(copy)
    if found:
        raise BackupFailed(
            f"The copy {target} is not sound ({found[0]}), so it was not kept. Run `tgllm db check` on the database.",
            path=str(target),
            reason=found[0],
        )
