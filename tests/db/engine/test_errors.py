"""Each fault of the file has a sentence with the path and what to do; faults of the code have none."""

import errno
import sqlite3
from pathlib import Path

import pytest

from tgllm.db.engine.errors import explain

pytestmark = pytest.mark.sqlite  # errors of SQLite

PATH = Path("/srv/tgllm.db")


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("raw")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "code", "advice"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL), "database_full", "Free some space"),
        (sqlite_error(sqlite3.SQLITE_READONLY_DIRECTORY), "database_read_only", "write access"),
        (sqlite_error(sqlite3.SQLITE_CORRUPT_INDEX), "database_corrupt", "restore a backup with"),
        (sqlite_error(sqlite3.SQLITE_NOTADB), "database_corrupt", "restore a backup with"),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), "database_locked", "Stop the other process"),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN), "database_unreachable", "Check that its folder exists"),
        (sqlite_error(sqlite3.SQLITE_IOERR_FSYNC), "database_disk", "Check the disk"),
        (OSError(errno.ENOSPC, "raw"), "database_full", "Free some space"),
        (OSError(errno.EROFS, "raw"), "database_read_only", "write access"),
        (OSError(errno.EISDIR, "raw"), "database_directory", "Choose another data folder"),
        (OSError(errno.EIO, "raw"), "database_disk", "Check the disk"),
        (OSError(errno.ENAMETOOLONG, "raw"), "database_unreachable", "Check that its folder exists"),
    ],
)
def test_a_fault_of_the_file_says_what_to_do(error: sqlite3.Error | OSError, code: str, advice: str) -> None:
    explained = explain(error, PATH)
    assert explained is not None
    assert (explained.code, explained.params) == (code, {"path": str(PATH)})
    assert advice in str(explained)
    assert str(PATH) in str(explained)


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_CONSTRAINT_CHECK),
        sqlite_error(sqlite3.SQLITE_ERROR),
        sqlite3.ProgrammingError("of the module, without a code"),
    ],
)
def test_a_fault_of_the_code_is_not_explained_away(error: sqlite3.Error) -> None:
    assert explain(error, PATH) is None
