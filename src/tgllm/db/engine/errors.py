"""Errors of the database file, each with a message that says what to do."""

import errno
import sqlite3
from pathlib import Path

from tgllm.api.errors import DatabaseError

__all__ = [
    "BackupFailed",
    "DataFolderBusy",
    "DatabaseClosed",
    "DatabaseError",
    "DatabaseLost",
    "DatabaseMissing",
    "DatabaseTooNew",
    "MigrationFailed",
    "NotInitialised",
    "RestoreRefused",
    "explain",
]


class DatabaseTooNew(DatabaseError):
    """Database file written by a newer version of the program."""

    default_code = "database_too_new"


class MigrationFailed(DatabaseError):
    """Failed migration of the database to this version."""

    default_code = "database_migration"


class NotInitialised(DatabaseError):
    """Use of ``get_db`` before ``init_db``."""

    default_code = "database_not_initialised"


class DatabaseClosed(DatabaseError):
    """Use of a closed database."""

    default_code = "database_closed"


class BackupFailed(DatabaseError):
    """Backup that could not be made or is damaged."""

    default_code = "database_backup"


class RestoreRefused(DatabaseError):
    """Backup that can't be restored: it is damaged, incomplete, of another bot, or no backup at all."""

    default_code = "database_restore"


class DatabaseLost(DatabaseError):
    """Database or data folder that was deleted, moved or replaced while the bot was running."""

    default_code = "database_lost"


class DatabaseMissing(DatabaseError):
    """Missing or empty database, with which the bot has run before."""

    default_code = "database_missing"


class DataFolderBusy(DatabaseError):
    """Data folder that another process has locked."""

    default_code = "data_folder_busy"


_FULL = "The disk is full: {path} can't grow. Free some space; nothing that was stored is lost."
_READ_ONLY = "{path} can't be written. Give the bot's user write access to it and to its folder."
_CORRUPT = (
    "{path} is damaged or no database. `tgllm db check` shows what is wrong; restore a backup with: "
    "tgllm db restore BACKUP"
)
_LOCKED = "{path} stayed locked by another process. Stop the other process and try again."
_UNREACHABLE = "{path} can't be opened. Check that its folder exists and that the bot's user may read and write there."
_DIRECTORY = "{path} is a folder, not a database file. Choose another data folder or move that folder away."
_NO_FOLDER = "{path} can't be made: what should be its folder is a file. Choose another folder or move that file away."
_BROKEN_DISK = "{path} can't be read or written: the disk reports an error. Check the disk, then `tgllm db check`."

# SQLite's primary result codes (sqlite.org/rescode.html): what the operator can do about each.
_BY_RESULT: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: ("database_full", _FULL),
    sqlite3.SQLITE_READONLY: ("database_read_only", _READ_ONLY),
    sqlite3.SQLITE_PERM: ("database_read_only", _READ_ONLY),
    sqlite3.SQLITE_CORRUPT: ("database_corrupt", _CORRUPT),
    sqlite3.SQLITE_NOTADB: ("database_corrupt", _CORRUPT),
    sqlite3.SQLITE_BUSY: ("database_locked", _LOCKED),
    sqlite3.SQLITE_LOCKED: ("database_locked", _LOCKED),
    sqlite3.SQLITE_CANTOPEN: ("database_unreachable", _UNREACHABLE),
    sqlite3.SQLITE_IOERR: ("database_disk", _BROKEN_DISK),
}

_BY_ERRNO: dict[int | None, tuple[str, str]] = {
    errno.ENOSPC: ("database_full", _FULL),
    errno.EDQUOT: ("database_full", _FULL),
    errno.EFBIG: ("database_full", _FULL),
    errno.EACCES: ("database_read_only", _READ_ONLY),
    errno.EPERM: ("database_read_only", _READ_ONLY),
    errno.EROFS: ("database_read_only", _READ_ONLY),
    errno.EISDIR: ("database_directory", _DIRECTORY),
    errno.EEXIST: ("database_directory", _NO_FOLDER),
    errno.ENOTDIR: ("database_directory", _NO_FOLDER),
    errno.EIO: ("database_disk", _BROKEN_DISK),
}


def explain(error: sqlite3.Error | OSError, path: Path) -> DatabaseError | None:
    """Return an error whose message tells the operator what to do about ``error``.

    Returns:
        None for a fault of the code and not of the file: a violated constraint, wrong SQL.
    """
    if isinstance(error, OSError):
        code, words = _BY_ERRNO.get(error.errno, ("database_unreachable", _UNREACHABLE))
    else:
        found = _BY_RESULT.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if found is None:
            return None
        code, words = found
    return DatabaseError(words.format(path=path), code=code, path=str(path))
