"""A database of its own for each test."""

from collections.abc import AsyncGenerator, Generator
from contextlib import closing
from pathlib import Path

import pytest

from database_support import NOW
from engines import Engine, PostgresPaths
from tgllm.db.database import Database
from tgllm.db.engine.sqlite import connect
from tgllm.db.engine.unit import Connection
from tgllm.db.file.schema import prepare


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "tgllm.db"


@pytest.fixture
def conn(path: Path, engine: Engine) -> Generator[Connection]:
    """A connection to a fresh database, in a write transaction."""
    if isinstance(engine, PostgresPaths):
        with engine.transaction(path) as connection:
            yield connection
        return
    prepare(path, NOW)
    with closing(connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@pytest.fixture
async def database(path: Path) -> AsyncGenerator[Database]:
    async with await Database.open(path) as opened:
        yield opened
