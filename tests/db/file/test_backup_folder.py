"""A folder of backups keeps the newest ones, and whatever else is in it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from database_support import names
from tgllm.db.engine.errors import BackupFailed, DatabaseError
from tgllm.db.file.backup_folder import backup_into
from tgllm.db.file.schema import prepare

NOW = 1_790_000_000_123


@pytest.fixture
def folder(path: Path) -> Path:
    prepare(path, NOW)
    return path.parent / "backups"


def test_a_backup_is_named_after_its_time_and_is_a_whole_database(path: Path, folder: Path) -> None:
    made = backup_into(path, folder, 3, NOW)

    assert made == folder / "20260921T141320.123Z.sqlite"
    assert (folder.stat().st_mode & 0o777, made.stat().st_mode & 0o777) == (0o700, 0o600)
    with closing(sqlite3.connect(made)) as conn:
        assert conn.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_the_newest_are_kept(path: Path, folder: Path) -> None:
    made = [backup_into(path, folder, 2, NOW + seconds * 1000) for seconds in range(4)]

    assert names(folder) == [file.name for file in made[2:]]


def test_one_that_is_made_after_the_clock_was_set_back_is_kept(path: Path, folder: Path) -> None:
    ahead = [backup_into(path, folder, 2, NOW + seconds * 1000) for seconds in (60, 61)]
    made = backup_into(path, folder, 2, NOW)

    assert names(folder) == [made.name, ahead[1].name]


def test_what_a_killed_run_has_left_goes_and_other_files_stay(path: Path, folder: Path) -> None:
    folder.mkdir()
    for name in ("20200101T000000.000Z.sqlite.unfinished", "mine.sqlite", "20200101T000000.000Z.sqlite.gz"):
        (folder / name).touch()
    made = backup_into(path, folder, 1, NOW)

    assert names(folder) == ["20200101T000000.000Z.sqlite.gz", made.name, "mine.sqlite"]


def test_nothing_is_written_over(path: Path, folder: Path) -> None:
    backup_into(path, folder, 1, NOW)
    with pytest.raises(BackupFailed):
        backup_into(path, folder, 1, NOW)


def test_a_folder_that_is_a_file_is_told(path: Path, folder: Path) -> None:
    folder.touch()
    with pytest.raises(DatabaseError, match="backups"):
        backup_into(path, folder, 1, NOW)
