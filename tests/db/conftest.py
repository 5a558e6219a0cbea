"""A database of its own for each test."""

import sqlite3
from collections.abc import AsyncGenerator, Generator
from contextlib import closing
from pathlib import Path

import pytest

from database_support import NOW
from tgllm.db.database import Database
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.schema import prepare


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "tgllm.db"


@pytest.fixture
def conn(path: Path) -> Generator[sqlite3.Connection]:
    """A connection to a fresh database, in a write transaction."""
    prepare(path, NOW)
    with closing(connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@pytest.fixture
async def database(path: Path) -> AsyncGenerator[Database]:
    async with await Database.open(path) as opened:
        yield opened
