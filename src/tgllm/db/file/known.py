"""Files beside the database that show that something is wrong with it.

The marker: the bot has run with the database, so a missing or empty database is a loss. A write-ahead log that does not
belong to the database: a backup was copied over the old one.
"""

import os
from pathlib import Path

from tgllm.db.engine.errors import DatabaseError, DatabaseMissing

__all__ = ["copies_of", "forget_known", "mark_known", "newest_copy", "put_back", "refuse_missing", "refuse_stray_log"]

# SQLite file format, 1.3: the read version and write version of the header; 1 is a rollback journal, 2 is WAL.
_MODES = slice(18, 20)
_ROLLBACK = b"\x01\x01"

_WORDS = """\
tgllm has run with the database {name} in this folder. While this file is here, a missing or empty {name} is an error
instead of the start of a new database. To start anew on purpose: tgllm db init --new
"""


def marker_of(path: Path) -> Path:
    """Return the path of the marker of a database."""
    # Not one that "rm tgllm.db*" removes together with the database.
    return path.with_name(f"{path.stem}.known")


def mark_known(path: Path) -> None:
    """Create the marker, if it is missing."""
    marker = marker_of(path)
    if not marker.exists():
        descriptor = os.open(marker, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(_WORDS.format(name=path.name))


def forget_known(path: Path) -> None:
    """Remove the marker, so that a new database may be created."""
    marker_of(path).unlink(missing_ok=True)


def refuse_missing(path: Path) -> None:
    """Check that a known database is there and not empty.

    Raises:
        DatabaseMissing: it is missing or has no content; the message says how to go on.
    """
    if not marker_of(path).exists():
        return
    size = path.stat().st_size if path.exists() else None
    if not size:
        raise missing(path, "missing" if size is None else "empty")


def refuse_stray_log(path: Path) -> None:
    """Check that a write-ahead log is the database's own, before SQLite opens the database and applies the log.

    A backup is a file without a log (its header says so), and a database leaves that mode before it has a log. Both
    together mean that the file was replaced while the log of the old one stayed.

    Raises:
        DatabaseError: the log belongs to another file; the message says what to do.
    """
    log = path.with_name(f"{path.name}-wal")
    try:
        if not log.stat().st_size:
            return
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        # No log, or no database: what opens the database says so.
        return
    try:
        mode = os.pread(descriptor, 100, 0)[_MODES]
    finally:
        os.close(descriptor)
    if mode == _ROLLBACK:
        raise DatabaseError(
            f"{path} was put in the place of another database, whose log {log.name} is still there: SQLite would write "
            "the changes of the old database into the new one, so nothing was opened. To use the new file: "
            f'rm "{log}" "{path}-shm" . Next time restore with: tgllm db restore BACKUP',
            code="database_stray_log",
            path=str(path),
        )


def missing(path: Path, state: str) -> DatabaseMissing:
    """Return the error for a known database that is missing or empty."""
    copy = newest_copy(path)
    found = f"The newest copy is {copy}: {put_back(copy, path)} ." if copy else "The data folder has no backup."
    return DatabaseMissing(
        f"The database {path} is {state}, but the bot has run with it before. Put a backup in its place, then start "
        f"again. {found} To start anew, without the people, budgets and conversations of before: tgllm db init --new",
        path=str(path),
        state=state,
    )


def put_back(copy: Path, path: Path) -> str:
    """Return the shell command that restores a copy."""
    return f'tgllm --data-dir "{path.parent}" db restore "{copy}"'


def newest_copy(path: Path, backups: Path | None = None) -> Path | None:
    """Return the newest backup or rescued copy of the database in its folder, or in another folder of backups."""
    return max(copies_of(path, backups), key=lambda copy: copy.stat().st_mtime, default=None)


def copies_of(path: Path, backups: Path | None = None) -> list[Path]:
    """Return the backups and rescued copies of the database in its folder and in another folder of backups."""
    patterns = ("backups/*.tar", "backups/*.sqlite", "*.sqlite", f"{path.name}.rescued-*", f"{path.name}.backup-*")
    copies = [copy for pattern in patterns for copy in path.parent.glob(pattern) if copy.is_file()]
    if backups is not None:
        # Not what is written beside a backup that is being made.
        ours = (".tar", ".tar.gz", ".tgz", ".sqlite")
        copies += [copy for copy in backups.glob("*") if copy.name.endswith(ours) and copy.is_file()]
    return [copy for copy in copies if ".unfinished" not in copy.name]
