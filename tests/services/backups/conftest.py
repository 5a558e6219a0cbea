"""A data folder with a note and files, and one without anything."""

from pathlib import Path

import pytest

from backup_support import Data


@pytest.fixture
def data(tmp_path: Path) -> Data:
    made = Data(tmp_path / "data").begin()
    made.note("old")
    made.add_file(b"first " * 1000)
    made.add_file(b"")
    return made


@pytest.fixture
def other(tmp_path: Path) -> Data:
    """The folder of another machine, without a database."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return Data(folder)
