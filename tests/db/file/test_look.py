"""A quick look reads, and changes nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from database_support import NOW
from tgllm.db.engine.errors import DatabaseError, DatabaseTooNew
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.look import is_there, look
from tgllm.db.file.schema import prepare
from tgllm.db.tables import models
from tgllm.db.tables.models import NewModel

pytestmark = pytest.mark.sqlite  # the file is what it is about


def test_it_reads_what_is_there(path: Path) -> None:
    prepare(path, NOW)
    with closing(connect(path)) as conn:
        models.upsert(conn, [NewModel(provider="p", model="m", title="M")], NOW)

    assert [str(model.ref) for model in look(path, models.list_all)] == ["p/m"]


def test_whether_it_is_there_is_told_or_why_nobody_knows(path: Path, tmp_path: Path) -> None:
    assert not is_there(path)
    prepare(path, NOW)
    assert is_there(path)
    with pytest.raises(DatabaseError, match="what should be its folder is a file"):
        is_there(path / "tgllm.db")
    with pytest.raises(DatabaseError, match="can't be opened"):
        is_there(tmp_path / ("long" * 100))


def test_it_makes_no_file(path: Path) -> None:
    with pytest.raises(DatabaseError):
        look(path, models.list_all)
    assert not path.exists()


def test_it_writes_nothing(path: Path) -> None:
    prepare(path, NOW)
    with pytest.raises(DatabaseError, match="can't be written"):
        look(path, lambda conn: models.upsert(conn, [NewModel(provider="p", model="m", title="M")], NOW))


@pytest.mark.parametrize("sql", ["DROP TABLE models", "ALTER TABLE models DROP COLUMN aliases"])
def test_another_version_is_told(path: Path, sql: str) -> None:
    prepare(path, NOW)
    with closing(connect(path)) as conn:
        conn.execute(
            "INSERT INTO models (provider, model, title, first_seen_at, last_seen_at) VALUES ('p','m','M',1,1)"
        )
        conn.execute("PRAGMA ignore_check_constraints = ON")
        conn.execute(sql)

    with pytest.raises(DatabaseError, match="tgllm db init"):
        look(path, models.list_all)


def test_a_fault_of_the_query_passes(path: Path) -> None:
    prepare(path, NOW)
    with pytest.raises(sqlite3.OperationalError, match="syntax"):
        look(path, lambda conn: conn.execute("SELEKT"))


def test_a_newer_version_is_refused(path: Path) -> None:
    prepare(path, NOW)
    with closing(connect(path)) as conn:
        conn.execute("PRAGMA user_version = 999")

    with pytest.raises(DatabaseTooNew, match="version 999"):
        look(path, models.list_all)
