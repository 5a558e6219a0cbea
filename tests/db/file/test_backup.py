"""A backup is complete, sound and one file, or it is not there."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tgllm.db.engine.errors import BackupFailed, DatabaseError, DatabaseTooNew
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.backup import backup
from tgllm.db.file.identity import latest_version
from tgllm.db.file.schema import prepare
from tgllm.db.migrations.load import shipped

pytestmark = pytest.mark.sqlite  # the file is what it is about

NEWER = latest_version(shipped()) + 1


@pytest.fixture
def used(path: Path) -> Path:
    prepare(path, 1)
    with closing(connect(path)) as conn:
        conn.execute("INSERT INTO kv VALUES ('s', 'k', '1', 1)")
    return path


def keys(path: Path) -> list[str]:
    with closing(connect(path, "ro")) as conn:
        return [row["key"] for row in conn.execute("SELECT key FROM kv ORDER BY key")]


def test_a_backup_while_others_write_has_what_was_committed(used: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    with closing(connect(used)) as writer:
        writer.execute("INSERT INTO kv VALUES ('s', 'in the log', '1', 1)")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO kv VALUES ('s', 'not committed', '1', 1)")
        backup(used, target)
        writer.execute("COMMIT")
    assert keys(target) == ["in the log", "k"]
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.db", "data"]


def test_a_backup_can_be_put_in_the_place_of_the_database(used: Path, tmp_path: Path) -> None:
    backup(used, tmp_path / "copy.db")
    used.unlink()
    (tmp_path / "copy.db").rename(used)
    prepare(used, 1)
    assert keys(used) == ["k"]


def test_nothing_is_overwritten(used: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("kept")
    with pytest.raises(BackupFailed, match="exists already"):
        backup(used, target)
    assert target.read_text() == "kept"


def test_what_an_interrupted_backup_left_is_no_obstacle(used: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.db.unfinished").write_text("half")
    backup(used, tmp_path / "copy.db")
    assert keys(tmp_path / "copy.db") == ["k"]


def test_a_damaged_database_gives_no_backup(used: Path, tmp_path: Path) -> None:
    content = used.read_bytes()
    used.write_bytes(content[: 4096 * 3] + b"\x00" * 4096 * 3 + content[4096 * 6 :])
    with pytest.raises(BackupFailed, match="not sound"):
        backup(used, tmp_path / "copy.db")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data"]


def test_a_file_that_holds_nothing_of_ours_gives_no_backup(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with pytest.raises(BackupFailed, match="is empty"):
        backup(path, tmp_path / "copy.db")
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE theirs (x)")
    with pytest.raises(DatabaseError, match="of another program"):
        backup(path, tmp_path / "copy.db")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data"]


def test_a_newer_database_is_left_to_a_newer_program(used: Path, tmp_path: Path) -> None:
    with closing(connect(used)) as conn:
        conn.execute(f"PRAGMA user_version = {NEWER}")
    with pytest.raises(DatabaseTooNew):
        backup(used, tmp_path / "copy.db")


def test_a_missing_database_or_folder_is_said_in_words(used: Path, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="can't be opened"):
        backup(tmp_path / "nothing.db", tmp_path / "copy.db")
    with pytest.raises(DatabaseError, match=r"nowhere/copy\.db can't be opened"):
        backup(used, tmp_path / "nowhere" / "copy.db")


def test_the_copied_database_is_left_as_it_is(used: Path, tmp_path: Path) -> None:
    backup(used, tmp_path / "copy.db")
    with closing(connect(used)) as conn:
        assert conn.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    with closing(sqlite3.connect(tmp_path / "copy.db")) as conn:
        assert conn.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
