"""Contents that no attachment has are removed after a while."""

import os
import uuid
from pathlib import Path

from tgllm.db.database import Database
from tgllm.db.tables import files
from tgllm.db.tables.files import NewFile
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.files.sweep import KEPT_SECONDS, drop_parts, sweep_blobs

NOW = 1_790_000_000.0


def put(folder: Path, name: str, age: float) -> Path:
    path = folder / "files" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    os.utime(path, (NOW - age, NOW - age))
    return path


async def test_old_contents_without_an_attachment_go_with_what_is_derived(database: Database, tmp_path: Path) -> None:
    used, young, orphan, half = (uuid.uuid4().hex for _ in range(4))
    old = KEPT_SECONDS + 1
    kept = [put(tmp_path, used, old), put(tmp_path, f"{used}.view-1", old), put(tmp_path, young, 5)]
    gone = [put(tmp_path, orphan, old), put(tmp_path, f"{orphan}.page-1", old), put(tmp_path, f"{half}.part", old)]
    new = NewFile(path=f"files/{used}", mime="a/b", size=1, sha256="a" * 64, original_name=None, user_id=None)
    await database.write(lambda conn: files.add(conn, new, 1))
    assert await sweep_blobs(database, FileStorage(tmp_path), NOW) == 2
    assert [path.exists() for path in kept] == [True] * 3
    assert [path.exists() for path in gone] == [False] * 3


async def test_what_the_bot_has_not_named_stays(database: Database, tmp_path: Path) -> None:
    other = put(tmp_path, "notes of the operator", KEPT_SECONDS + 1)
    assert await sweep_blobs(database, FileStorage(tmp_path), NOW) == 0
    assert other.exists()


async def test_without_a_folder_there_is_nothing_to_do(database: Database, tmp_path: Path) -> None:
    assert await sweep_blobs(database, FileStorage(tmp_path), NOW) == 0
    drop_parts(tmp_path)


def test_downloads_that_were_not_finished_go_at_the_start(tmp_path: Path) -> None:
    kept, part = put(tmp_path, "whole", 0), put(tmp_path, "half.part", 0)
    drop_parts(tmp_path)
    assert (kept.exists(), part.exists()) == (True, False)
