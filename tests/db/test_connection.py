"""The database can be made and opened, or it is said in words why not."""

import asyncio
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from tgllm.db import connection, get_db, init_db
from tgllm.db.engine import sqlite
from tgllm.db.engine.errors import DatabaseError, NotInitialised
from tgllm.db.file.schema import prepare

pytestmark = pytest.mark.sqlite  # plain connections are to the file


async def test_get_db_uses_the_path_of_the_last_init_db(tmp_path: Path) -> None:
    await init_db(tmp_path / "one.db")
    await init_db(str(tmp_path / "two.db"))
    async with get_db() as conn:
        await conn.execute("INSERT INTO kv VALUES ('s', 'k', '2', 1)")
    async with get_db(tmp_path / "two.db") as conn, conn.execute("SELECT * FROM kv") as cursor:
        rows = await cursor.fetchall()
    assert [row["value"] for row in rows] == ["2"]
    async with get_db(tmp_path / "one.db") as conn, conn.execute("SELECT * FROM kv") as cursor:
        assert not list(await cursor.fetchall())


async def test_a_connection_is_set_up(path: Path) -> None:
    await init_db(path)
    found = []
    async with get_db() as conn:
        for pragma in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout"):
            async with conn.execute(f"PRAGMA {pragma}") as cursor:
                row = await cursor.fetchone()
                assert row is not None
                found.append(row[0])
    assert found == ["wal", 1, 2, 30_000]


async def test_get_db_before_any_init_db_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection._LastPath, "value", None)
    with pytest.raises(NotInitialised, match="init_db"):
        async with get_db():
            pass


async def test_get_db_makes_no_file(path: Path) -> None:
    path.parent.mkdir()
    with pytest.raises(DatabaseError, match="can't be opened"):
        async with get_db(path):
            pass
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
async def test_a_connection_is_closed_on_every_path(path: Path, error: type[BaseException]) -> None:
    await init_db(path)
    before = set(threading.enumerate())
    inside: set[threading.Thread] = set()

    async def use() -> None:
        async with get_db():
            # The loop's own pool lives as long as the loop.
            inside.update(t for t in set(threading.enumerate()) - before if not t.name.startswith("asyncio"))
            raise error

    with pytest.raises(error):
        await use()
    assert inside
    for thread in inside:
        await asyncio.to_thread(thread.join, 30)
    assert not any(thread.is_alive() for thread in inside)
    assert [file.name for file in path.parent.iterdir()] == ["tgllm.db"]


async def test_missing_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b c %20 ? #" / "tgllm.db"
    await init_db(path)
    async with get_db() as conn:
        await conn.execute("SELECT * FROM kv")
    assert path.is_file()


async def test_a_folder_in_place_of_the_file_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"is a folder, not a database file\. Choose") as caught:
        await init_db(tmp_path)
    assert caught.value.code == "database_directory"


async def test_a_file_in_place_of_the_folder_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match="what should be its folder is a file"):
        await init_db(tmp_path / "file" / "tgllm.db")


def test_a_file_that_is_no_database_is_said_in_words_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("no database " * 200)
    with pytest.raises(DatabaseError, match=r"damaged or no database\. .* restore a backup with") as caught:
        prepare(path, 1)
    assert caught.value.code == "database_corrupt"
    assert path.read_text() == "no database " * 200


def overwrite(path: Path) -> None:
    """Damage all of the file but its first page."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


async def test_a_damaged_database_is_said_in_words(path: Path) -> None:
    await init_db(path)
    overwrite(path)
    with pytest.raises(DatabaseError, match="damaged"):
        async with get_db(path) as conn:
            await conn.execute("INSERT INTO users (id, created_at, updated_at) VALUES (1, 1, 1)")


async def test_a_locked_database_is_said_in_words(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await init_db(path)
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.0)
    async with get_db() as holder:
        await holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match="locked by another process") as caught:
            async with get_db() as conn:
                await conn.execute("DELETE FROM kv")
    assert caught.value.code == "database_locked"


AS_NOBODY = """
import asyncio, os, sys
from tgllm.db import init_db
from tgllm.db.engine.errors import DatabaseError
asyncio.run(init_db(sys.argv[2]))  # loads all that is loaded late: afterwards Python's own files may be out of reach
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    asyncio.run(init_db(sys.argv[1]))
except DatabaseError as error:
    print(error.code, error)
"""


@pytest.mark.parametrize("name", ["tgllm.db", "made.db", "deeper/made.db"])
def test_a_read_only_folder_is_said_in_words(name: str) -> None:
    # Not below tmp_path: root may write anywhere, so the child becomes somebody else, who can't get in there.
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "data"
        prepare(folder / "tgllm.db", 1)
        (folder / "tgllm.db").chmod(0o444)
        folder.chmod(0o555)
        Path(top).chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(folder / name), str(Path(top) / "first.db")],
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        folder.chmod(0o755)
    assert done.stdout.startswith("database_read_only "), done.stderr
    assert "Give the bot's user write access" in done.stdout


async def test_two_processes_may_make_the_database_at_once(path: Path) -> None:
    code = "import asyncio, sys; from tgllm.db import init_db; asyncio.run(init_db(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(path)]
    children = await asyncio.gather(
        *(asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE) for _ in range(4))
    )
    ends = await asyncio.gather(*(child.communicate() for child in children))
    assert [child.returncode for child in children] == [0, 0, 0, 0], ends
