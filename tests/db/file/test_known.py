"""A database with which the bot has run is not created anew by mistake."""

import os
from pathlib import Path

import pytest

from tgllm.db.engine.errors import DatabaseMissing
from tgllm.db.file.backup import backup
from tgllm.db.file.known import forget_known, mark_known, newest_copy
from tgllm.db.file.schema import prepare

pytestmark = pytest.mark.sqlite  # the file is what it is about


@pytest.fixture
def known(path: Path) -> Path:
    prepare(path, 1)
    mark_known(path)
    return path


def test_a_database_that_is_there_is_used(known: Path) -> None:
    prepare(known, 1)
    mark_known(known)


@pytest.mark.parametrize("state", ["missing", "empty"])
def test_a_missing_or_empty_one_is_refused_and_left_as_it_is(known: Path, state: str) -> None:
    known.unlink()
    if state == "empty":
        known.touch()
    with pytest.raises(DatabaseMissing, match=f"is {state}.*has no backup.*tgllm db init --new"):
        prepare(known, 1)
    assert known.exists() == (state == "empty")


def test_the_newest_copy_is_named(known: Path) -> None:
    assert newest_copy(known) is None
    names = ["tgllm.db.backup-1", "tgllm.db.rescued-2", "backups/3.sqlite", "mine.sqlite"]
    (known.parent / "backups").mkdir()
    for name in names:
        backup(known, known.parent / name)
        assert newest_copy(known) == known.parent / name
        os.utime(known.parent / name, (1, 1))
    known.unlink()
    with pytest.raises(DatabaseMissing, match="The newest copy is"):
        prepare(known, 1)


@pytest.mark.parametrize("name", ["1.tar", "1.tar.gz", "1.tgz", "1.sqlite"])
def test_what_a_backup_in_another_folder_is_made_of_is_no_copy(known: Path, tmp_path: Path, name: str) -> None:
    backups = tmp_path / "elsewhere"
    assert newest_copy(known, backups) is None
    backups.mkdir()
    for ending in (".unfinished", ".database", ".database.unfinished"):
        (backups / f"{name}{ending}").touch()
    assert newest_copy(known, backups) is None
    (backups / name).touch()
    os.utime(backups / name, (1, 1))
    assert newest_copy(known, backups) == backups / name


def test_one_that_is_not_known_is_created(path: Path) -> None:
    prepare(path, 1)
    path.unlink()
    prepare(path, 1)


def test_starting_anew_on_purpose(known: Path) -> None:
    known.unlink()
    forget_known(known)
    prepare(known, 1)
    assert known.stat().st_size > 0
