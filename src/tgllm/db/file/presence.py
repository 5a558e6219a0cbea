"""Whether the database in use is still the one at its path.

SQLite keeps writing to a file that was deleted or moved away, and nothing fails: what is stored from then on is lost
when the program ends. Only ``stat`` is used for files in use: closing another descriptor of the database would release
the locks of the whole process (SQLite: How To Corrupt An SQLite Database File, 2.2).
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv

__all__ = ["Loss", "Presence", "mark_run", "unmark_run"]

Loss = Literal["folder", "database", "replaced", "overwritten", "log", "lock"]
"""What was lost or changed from outside."""

_SCOPE, _KEY = "database", "run"
_TRIES = 3
"""Looks in a row that find another content: another process may be writing at that moment."""

_Identity = tuple[int, int]


def mark_run(conn: Connection, run: str, number: int, now: int) -> None:
    """Store the id of this run in the database, by which a file that was overwritten in place is recognised.

    Args:
        conn: in a transaction.
        run: the id.
        number: 0 at first, then what ``Presence.next_mark`` returns; by it, an older copy of this run is recognised.
        now: UTC in milliseconds.
    """
    kv.set_value(conn, _SCOPE, _KEY, f"{run}:{number}", now)


def unmark_run(conn: sqlite3.Connection) -> None:
    """Remove the id from a copy: as a database it would be another one."""
    kv.delete(conn, _SCOPE, _KEY)


class Presence:
    """Identities of the files in use. A look takes some system calls; call it in a thread, since a disk may hang."""

    def __init__(self, path: Path, beside: tuple[str, ...] = (), run: str | None = None) -> None:
        """Remember the files as they are now.

        Args:
            path: the open database.
            beside: names of further files in its folder that must stay, such as the lock file.
            run: the id that ``mark_run`` has stored, after a checkpoint; None: the content is not compared.
        """
        self._path = path
        self._run = run
        self._folder = _identity(path.parent)
        self._database = _identity(path)
        self._beside = {path.with_name(name): _identity(path.with_name(name)) for name in beside}
        # They appear when SQLite first needs them, and stay as long as the database is open.
        logs = (path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-shm"))
        self._logs = {log: _identity(log) for log in logs}
        self._seen: tuple[int, int] | None = None
        self._strange = 0
        self._mark = 0
        """Number of the newest mark that was seen in the file; an older one is that of a copy."""
        self._made = 0

    def look(self) -> Loss | None:
        """Return what is no longer as it was; None if all is well."""
        if _identity(self._path.parent) != self._folder:
            return "folder"
        found = _identity(self._path)
        if found != self._database:
            return "replaced" if found else "database"
        if any(self._has_gone(path) for path in self._logs):
            return "log"
        if any(before and _identity(path) != before for path, before in self._beside.items()):
            return "lock"
        return "overwritten" if self._is_overwritten() else None

    def next_mark(self) -> tuple[str, int] | None:
        """Return the run and the number of the next ``mark_run``; None if the content is not compared."""
        if self._run is None:
            return None
        self._made += 1
        return self._run, self._made

    def drop_logs(self) -> None:
        """Delete the log of a database that was replaced: SQLite would apply it to the new file at the next start."""
        for path, before in self._logs.items():
            if before is not None and _identity(path) == before:
                path.unlink(missing_ok=True)

    def _has_gone(self, path: Path) -> bool:
        before, now = self._logs[path], _identity(path)
        if before is None:
            self._logs[path] = now
            return False
        return now != before

    def _is_overwritten(self) -> bool:
        """Whether the file has another content: it is empty, or is not a whole database with the id of the run.

        VACUUM, also of another program, makes the file shorter.
        """
        status = self._path.stat()
        if not status.st_size:
            return True
        seen = (status.st_mtime_ns, status.st_size)
        if self._run is None or (seen == self._seen and not self._strange):
            return False
        self._seen = seen
        found = _mark_in(self._path, self._run)
        if found is None or found < self._mark:
            self._strange += 1
            return self._strange >= _TRIES
        self._mark, self._strange = found, 0
        return False


def _identity(path: Path) -> _Identity | None:
    try:
        status = path.stat()
    except OSError:
        # Missing, unmounted, or no longer reachable for another reason.
        return None
    return status.st_dev, status.st_ino


def _mark_in(path: Path, run: str) -> int | None:
    """Return the number of the run's mark in the file itself, without its log; None if it or a page is missing."""
    try:
        # Through SQLite, which defers the release of the locks.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as conn:
            conn.row_factory = sqlite3.Row
            found, _, number = str(kv.get(conn, _SCOPE, _KEY)).rpartition(":")
    except sqlite3.Error:
        return None
    return int(number) if found == run and number.isdecimal() else None
