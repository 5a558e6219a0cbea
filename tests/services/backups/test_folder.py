"""A folder of backups keeps the newest ones, and all other files in it."""

import fcntl
import os
from pathlib import Path

import pytest

from database_support import NOW, names
from tgllm.db.engine.errors import BackupFailed, DatabaseError
from tgllm.db.file.backup import UNFINISHED
from tgllm.db.file.schema import prepare
from tgllm.services.backups.folder import backup_into, latest_time, list_backups
from tgllm.services.backups.making import Order
from tgllm.services.backups.reading import read_archive


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "data" / "tgllm.db"
    prepare(made, NOW)
    return made


@pytest.fixture
def folder(path: Path) -> Path:
    return path.parent / "backups"


def make(path: Path, keep: int, now: int = NOW) -> Path:
    return backup_into(Order(path, path.parent, path, now), path.parent / "backups", keep).path


def test_a_backup_is_named_after_its_time_and_is_whole(path: Path, folder: Path) -> None:
    made = make(path, 3, NOW + 123)

    assert made == folder / "20260921T141320.123Z.tar"
    assert (folder.stat().st_mode & 0o777, made.stat().st_mode & 0o777) == (0o700, 0o600)
    assert read_archive(made).made_at == NOW + 123


def test_the_newest_are_kept(path: Path, folder: Path) -> None:
    made = [make(path, 2, NOW + seconds * 1000) for seconds in range(4)]

    assert names(folder) == [file.name for file in made[2:]]


def test_copies_of_earlier_versions_count_too(path: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "20250101T000000.000Z.sqlite").touch()
    (folder / "20250102T000000.000Z.sqlite").touch()
    made = make(path, 2)

    assert names(folder) == ["20250102T000000.000Z.sqlite", made.name]


def test_one_that_is_made_after_the_clock_was_set_back_is_kept(path: Path, folder: Path) -> None:
    ahead = [make(path, 2, NOW + seconds * 1000) for seconds in (60, 61)]
    made = make(path, 2)

    assert names(folder) == [made.name, ahead[1].name]


def test_what_a_killed_run_has_left_goes_and_other_files_stay(path: Path, folder: Path) -> None:
    folder.mkdir()
    left = ("20200101T000000.000Z.tar.unfinished", "20200101T000000.000Z.tar.database")
    others = ("mine.sqlite", "20200101T000000.000Z.tar.gz", "20200101T000000.000Z.tar.part", "notes.unfinished")
    for name in (*left, *others):
        (folder / name).touch()
    made = make(path, 1)

    assert names(folder) == sorted((*others, made.name))


def test_what_another_process_is_writing_stays(path: Path, folder: Path) -> None:
    folder.mkdir()
    writing = folder / "20200101T000000.000Z.tar.unfinished"
    with writing.open("wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        make(path, 1)
        assert writing.exists()


def test_a_backup_that_fails_removes_no_other(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = make(path, 1)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tgllm.services.backups.making.write_archive", fail)
    with pytest.raises(DatabaseError) as caught:
        make(path, 1, NOW + 1000)
    assert caught.value.code == "database_full"
    assert names(folder) == [good.name]


def test_nothing_is_written_over(path: Path, folder: Path) -> None:
    make(path, 1)
    with pytest.raises(BackupFailed):
        make(path, 1)


def test_a_folder_that_is_a_file_is_named(path: Path, folder: Path) -> None:
    folder.touch()
    with pytest.raises(DatabaseError, match="backups"):
        make(path, 1)


def test_the_list_shows_damaged_ones_and_no_other_files(path: Path, folder: Path) -> None:
    made = make(path, 5)
    os.truncate(make(path, 5, NOW + 1000), 100)
    (folder / "other.tar").touch()
    (folder / "20200101T000000.000Z.sqlite").write_text("no database")
    listed = list_backups(folder)

    assert [each.path.name for each in listed] == [
        "20260921T141321.000Z.tar",
        made.name,
        "20200101T000000.000Z.sqlite",
    ]
    assert [each.problem is None for each in listed] == [False, True, False]
    assert (listed[1].made_at, listed[1].files, listed[1].schema is not None) == (NOW, 0, True)
    assert list_backups(folder / "nowhere") == []


def test_the_latest_time_is_that_of_a_whole_backup(path: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "notes.txt").touch()
    (folder / f"20990101T000000.000Z.tar{UNFINISHED}").touch()
    assert latest_time(folder) is None

    make(path, 5, NOW + 123)
    make(path, 5, NOW - 1000)
    assert latest_time(folder) == NOW + 123
