"""A check finds what is wrong and changes nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.check import check
from tgllm.db.file.identity import latest_version
from tgllm.db.file.schema import models_sql, prepare
from tgllm.db.migrations.load import shipped

pytestmark = pytest.mark.sqlite  # the file is what it is about

LATEST = latest_version(shipped())
NEWER = LATEST + 1


@pytest.fixture
def used(path: Path) -> Path:
    prepare(path, 1)
    with closing(connect(path)) as conn:
        conn.execute("INSERT INTO kv VALUES ('s', 'k', '1', 1)")
        conn.execute("INSERT INTO users (id, created_at, updated_at) VALUES (7, 1, 1)")
    return path


def test_a_sound_database_has_no_problems(used: Path) -> None:
    report = check(used)
    assert report.ok
    assert report.problems == ()
    assert (report.version, report.known_version, report.journal_mode) == (LATEST, LATEST, "wal")
    assert (report.rows["kv"], report.rows["users"], report.rows["inbox"]) == (1, 1, 0)
    assert len(report.rows) == models_sql().count("CREATE TABLE IF")
    assert report.size == used.stat().st_size


def test_a_check_may_run_while_others_write(used: Path) -> None:
    with closing(connect(used)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM kv")
        assert check(used).rows["kv"] == 1


def test_broken_references_are_found(used: Path) -> None:
    with closing(connect(used)) as conn:
        conn.execute("PRAGMA foreign_keys = OFF")
        conn.execute(
            "INSERT INTO requests (id, turn_id, provider, model, user_id, created_at, status, finished_at)"
            " VALUES (3, 't', 'p', 'm', 99, 1, 'ok', 1)"
        )
    report = check(used)
    assert not report.ok
    assert report.problems == ("broken reference: requests: 3 -> users",)


def test_another_version_and_mode_are_found(used: Path) -> None:
    with closing(connect(used)) as conn:
        conn.execute(f"PRAGMA user_version = {NEWER}")
        conn.execute("PRAGMA journal_mode = DELETE")
    version, mode = check(used).problems
    assert f"version {NEWER}" in version
    assert version.endswith("install a newer tgllm")
    assert "journal mode is delete" in mode


def test_an_empty_file_has_an_older_version(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert check(path).problems[0].endswith("run `tgllm db init`")


def test_the_database_of_another_program_is_refused(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE theirs (x)")
    with pytest.raises(DatabaseError, match="of another program"):
        check(path)


def test_damage_that_hides_everything_is_told_with_what_sqlite_says(used: Path) -> None:
    content = used.read_bytes()
    used.write_bytes(content[:4096] + b"\x00" * (len(content) - 4096))
    with pytest.raises(DatabaseError) as caught:
        check(used)
    assert "malformed" in str(caught.value)
    assert "restore a backup" in str(caught.value)
    assert "db check" not in str(caught.value)


def test_damage_is_found(used: Path) -> None:
    with closing(connect(used)) as conn:
        page = conn.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'users_status'").fetchone()[0]
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(used.read_bytes())
    content[(page - 1) * 4096 + 3 : (page - 1) * 4096 + 5] = b"\x00\x00"  # the count of cells on the page
    used.write_bytes(content)
    report = check(used)
    assert not report.ok
    assert report.damage
    assert report.problems[0].startswith("damage: ")


def test_no_database_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="can't be opened"):
        check(tmp_path / "nothing.db")
    (tmp_path / "text.db").write_text("no database " * 100)
    with pytest.raises(DatabaseError, match="damaged or no database"):
        check(tmp_path / "text.db")
