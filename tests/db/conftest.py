"""A database of its own for each test."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from engines import Engine
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection


@pytest.fixture
def quick_files() -> None:
    """Here new database files are made as in the program."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "tgllm.db"


@pytest.fixture
def conn(path: Path, engine: Engine) -> Generator[Connection]:
    """A connection to a fresh database, in a write transaction."""
    with engine.transaction(path) as connection:
        yield connection


@pytest.fixture
async def database(path: Path) -> AsyncGenerator[Database]:
    async with await Database.open(path) as opened:
        yield opened
