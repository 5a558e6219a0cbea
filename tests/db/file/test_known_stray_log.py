"""A backup copied over the database is not mixed with the log of the old one."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from database_support import NOW
from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.backup import backup
from tgllm.db.file.look import is_there
from tgllm.db.file.schema import prepare

pytestmark = pytest.mark.sqlite  # the file is what it is about


@pytest.fixture
def killed(path: Path) -> Path:
    """A database whose program was killed: its log is left."""
    prepare(path, NOW)
    backup(path, path.with_name("copy"))
    with closing(connect(path)) as conn:
        conn.execute("INSERT INTO kv VALUES ('s', 'k', '1', 1)")
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{path}{end}.left")
    for end in ("", "-wal"):
        Path(f"{path}{end}.left").replace(f"{path}{end}")
    return path


def rows(path: Path) -> int:
    with closing(connect(path)) as conn:
        return int(conn.execute("SELECT count(*) FROM kv WHERE scope = 's'").fetchone()[0])


def test_the_log_of_the_database_itself_is_used(killed: Path) -> None:
    assert is_there(killed)
    prepare(killed, NOW)
    assert rows(killed) == 1


def test_the_log_of_another_one_is_refused_with_the_way_out(killed: Path) -> None:
    shutil.copy(killed.with_name("copy"), killed)
    with pytest.raises(DatabaseError, match="restore with: tgllm db restore") as caught:
        prepare(killed, NOW)
    with pytest.raises(DatabaseError):
        is_there(killed)
    assert caught.value.code == "database_stray_log"
    assert killed.read_bytes() == killed.with_name("copy").read_bytes()

    killed.with_name("tgllm.db-wal").unlink()
    prepare(killed, NOW)
    assert rows(killed) == 0


def test_a_copy_without_a_log_is_opened(killed: Path) -> None:
    shutil.copy(killed.with_name("copy"), killed)
    killed.with_name("tgllm.db-wal").write_bytes(b"")
    prepare(killed, NOW)
    with closing(sqlite3.connect(killed)) as conn:
        assert conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
