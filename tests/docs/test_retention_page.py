"""The page about retention names everything that grows, with its bound."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from database_support import NOW
from tgllm.cli.chat.interactive import HISTORY_FILE
from tgllm.config.sections.retention import RetentionSection
from tgllm.db.engine.lock import LOCK_NAME
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.known import marker_of
from tgllm.db.file.schema import prepare
from tgllm.services.backups.restoring import ASIDE
from tgllm.services.files.storage.folder import FOLDER

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "retention.md"
_ROW = re.compile(r"^\| (?P<names>`[^|]+`) \| (?P<bound>[^|]+) \|$", re.MULTILINE)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    prepare(tmp_path / "tgllm.db", NOW)
    with closing(connect(tmp_path / "tgllm.db")) as conn:
        yield conn


def bounds(section: str) -> dict[str, str]:
    """Return the rows of the table in a section."""
    (text,) = re.findall(
        rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return {name: row["bound"] for row in _ROW.finditer(text) for name in re.findall("`([^`]+)`", row["names"])}


def test_every_table_is_named_once_with_its_bound(conn: sqlite3.Connection) -> None:
    query = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'"
    assert set(bounds("Tables")) == {row[0] for row in conn.execute(query)}
    assert all(bounds("Tables").values())


def test_every_setting_of_retention_bounds_something() -> None:
    named = set(re.findall(r"`retention\.(\w+)`", PAGE.read_text(encoding="utf-8")))
    assert named == set(RetentionSection.model_fields)


def test_files_in_the_data_folder_are_named(shell_files: list[str]) -> None:
    patterns = [re.compile(re.escape(name).replace(r"\*", ".*")) for name in bounds("Files in the data folder")]
    assert [name for name in shell_files if not any(pattern.fullmatch(name) for pattern in patterns)] == []


@pytest.fixture
def shell_files(tmp_path: Path, conn: sqlite3.Connection) -> list[str]:
    """Names of files and folders that the program makes; the constants of its modules."""
    made = [path.name for path in tmp_path.iterdir()]
    return [*made, HISTORY_FILE, LOCK_NAME, marker_of(tmp_path / "tgllm.db").name, f"{ASIDE}x", FOLDER]
