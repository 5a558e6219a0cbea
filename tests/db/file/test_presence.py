"""Which changes of the files in use are a loss."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tgllm.db.engine.sqlite import checkpoint, connect
from tgllm.db.file.backup import backup
from tgllm.db.file.presence import Presence, mark_run
from tgllm.db.file.schema import prepare

pytestmark = pytest.mark.sqlite  # the file is what it is about


@pytest.fixture
def presence(path: Path) -> Iterator[Presence]:
    """The files of an open database, with a lock file."""
    prepare(path, 1)
    (path.parent / "lock").touch()
    with closing(connect(path)) as conn:
        mark_run(conn, "this run", 0, 1)
        assert checkpoint(conn)
        made = Presence(path, ("lock",), "this run")
        assert made.look() is None
        yield made


def test_nothing_has_changed(presence: Presence) -> None:
    assert [presence.look() for _ in range(5)] == [None] * 5


@pytest.mark.parametrize(
    ("name", "loss"), [("tgllm.db", "database"), ("tgllm.db-wal", "log"), ("tgllm.db-shm", "log"), ("lock", "lock")]
)
@pytest.mark.parametrize("again", [False, True])
def test_a_file_is_deleted_or_another_one(presence: Presence, path: Path, name: str, loss: str, again: bool) -> None:
    file = path.parent / name
    file.rename(file.with_name("kept"))
    if again:
        file.touch()
    assert presence.look() == ("replaced" if again and name == "tgllm.db" else loss)


def test_the_folder_is_another_one(presence: Presence, path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))
    assert presence.look() == "folder"
    path.parent.mkdir()
    assert presence.look() == "folder"


def test_a_content_without_the_id_is_a_loss_when_it_stays(presence: Presence, path: Path) -> None:
    backup(path, path.parent / "copy")
    path.write_bytes((path.parent / "copy").read_bytes().ljust(path.stat().st_size, b"\0"))
    assert [presence.look() for _ in range(3)] == [None, None, "overwritten"]


def test_an_older_copy_of_the_same_run_is_a_loss(presence: Presence, path: Path) -> None:
    whole = path.read_bytes()
    mark = presence.next_mark()
    assert mark == ("this run", 1)
    with closing(connect(path)) as conn:
        mark_run(conn, *mark, 2)
        assert presence.look() is None
        assert checkpoint(conn)
    assert presence.look() is None
    path.write_bytes(whole)
    assert [presence.look() for _ in range(3)] == [None, None, "overwritten"]


def test_a_content_that_is_there_again_is_none(presence: Presence, path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(b"\0" * len(whole))
    assert presence.look() is None
    path.write_bytes(whole)
    assert [presence.look() for _ in range(4)] == [None] * 4


def test_a_file_that_has_lost_its_end_is_a_loss(presence: Presence, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4096])
    assert [presence.look() for _ in range(3)] == [None, None, "overwritten"]


def test_an_empty_file_is_a_loss_at_once(presence: Presence, path: Path) -> None:
    path.write_bytes(b"")
    assert presence.look() == "overwritten"


@pytest.mark.parametrize("auto_vacuum", [False, True])
def test_vacuum_by_another_program_is_none(presence: Presence, path: Path, auto_vacuum: bool) -> None:
    with closing(connect(path)) as conn:
        if auto_vacuum:
            conn.execute("PRAGMA auto_vacuum = FULL")
            conn.execute("VACUUM")
        conn.execute("CREATE TABLE much AS SELECT randomblob(1000000) AS bytes")
        assert checkpoint(conn)
        before = path.stat().st_size
        assert presence.look() is None
        conn.execute("DROP TABLE much")
        if not auto_vacuum:
            conn.execute("VACUUM")
        assert checkpoint(conn)
    assert path.stat().st_size < before
    assert [presence.look() for _ in range(4)] == [None] * 4
