"""Replacement of the database by another file, at one moment.

A kill at any time leaves the old database with its log, the new one without, or, if the old one is damaged, none: then
the bot refuses to start anew (see ``tgllm.db.file.known``), and both files are still there.
"""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.known import refuse_stray_log

__all__ = ["keep_aside", "replace_database", "sync_folder"]

_LOGS = ("-wal", "-shm")


def replace_database(path: Path, new: Path, aside: Path) -> None:
    """Move ``new`` to ``path`` and what was there to the folder ``aside``; raises errors of SQLite and of the system.

    Args:
        path: the database, which may be missing or damaged.
        new: a database without a log, on the same disk.
        aside: an existing folder.
    """
    if not path.exists():
        _drop_logs(path)
        _move(new, path)
        return
    try:
        refuse_stray_log(path)
        conn = connect(path)
    except DatabaseError as error:
        if error.code not in {"database_corrupt", "database_stray_log"}:
            raise
        _replace_damaged(path, new, aside)
        return
    with closing(conn):
        try:
            # No other process may open the database between the end of its log and the replacement: the new file
            # would get a log that is not its own.
            conn.execute("PRAGMA locking_mode = EXCLUSIVE")
            conn.execute("PRAGMA journal_mode = DELETE")
            conn.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                raise
            is_damaged = True
        else:
            is_damaged = False
            keep_aside(path, aside / path.name)
            sync_folder(aside)
            _drop_logs(path)
            _move(new, path)
    if is_damaged:
        _replace_damaged(path, new, aside)


def keep_aside(path: Path, target: Path) -> None:
    """Give a file a second name, which costs no space; on a disk without hard links it is copied."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copy2(path, target)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some network disks can't.
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace_damaged(path: Path, new: Path, aside: Path) -> None:
    # All of it is kept: a part may still be readable.
    for name in (path.name, *(f"{path.name}{end}" for end in _LOGS)):
        if path.with_name(name).exists():
            keep_aside(path.with_name(name), aside / name)
    sync_folder(aside)
    path.unlink()
    _drop_logs(path)
    _move(new, path)


def _drop_logs(path: Path) -> None:
    for end in _LOGS:
        path.with_name(f"{path.name}{end}").unlink(missing_ok=True)
    sync_folder(path.parent)


def _move(new: Path, path: Path) -> None:
    new.replace(path)
    sync_folder(path.parent)
