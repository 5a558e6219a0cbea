"""Files that a model has made, up to the limits, and on disk."""

from pathlib import Path

import pytest

from tgllm.api import FileDelta
from tgllm.services.files import made
from tgllm.services.files.made import Gathered, keep_made
from tgllm.services.files.storage.store import FileStorage


def text(content: bytes, name: str | None = None) -> FileDelta:
    return FileDelta(content, "text/plain", name)


def test_files_beyond_a_limit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("MOST_FILES", 3), ("MOST_FILE_BYTES", 10), ("MOST_BYTES", 15)):
        monkeypatch.setattr(made, name, most)
    gathered = Gathered()
    sizes = [11, 10, 6, 5, 0, 0, 1]
    assert [gathered.add(text(b"x" * size)) for size in sizes] == [False, True, False, True, False, False, False]
    assert [len(file.content) for file in gathered.files] == [10, 5]
    assert gathered.left_out == 3


async def test_equal_files_are_one_and_keep_their_order(tmp_path: Path) -> None:
    kept, lost = await keep_made([text(b"a", "a"), text(b"b", "b"), text(b"a", "c")], FileStorage(tmp_path))
    assert [(file.part.name, file.part.path.read_bytes()) for file in kept] == [("a.txt", b"a"), ("b.txt", b"b")]
    assert lost == 0
    assert all((tmp_path / file.path) == file.part.path and file.path.startswith("files/") for file in kept)
    assert all(file.part.path.stat().st_mode & 0o077 == 0 for file in kept)


async def test_what_can_not_be_written_is_counted_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way")
    assert await keep_made([text(b"a"), text(b"b")], FileStorage(tmp_path)) == ([], 2)
