"""New database files as copies of one, since making the schema takes a quarter of the time in which a bot starts."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tgllm.db.connection import prepare
from tgllm.db.engine.errors import DatabaseError
from tgllm.db.file.known import refuse_missing, refuse_stray_log

__all__ = ["copied_files", "prepare_quickly"]


@cache
def _empty_file() -> bytes:
    """Content of a new database file as ``prepare`` makes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tgllm.db"
        prepare(path, 0)
        return path.read_bytes()


def prepare_quickly(path: Path, now: int) -> None:
    """Copy the file where there is none; everything else is left to ``prepare``, errors too."""
    if not _is_copied(path):
        prepare(path, now)


def _is_copied(path: Path) -> bool:
    try:
        refuse_missing(path)
        refuse_stray_log(path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except (OSError, DatabaseError):
        return False
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_empty_file())
    except OSError:
        path.unlink()
        return False
    return True


@contextmanager
def copied_files() -> Iterator[None]:
    """Within the block, ``init_db`` and ``Database.open`` make new files in this way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tgllm.db.connection.prepare", prepare_quickly)
        yield
