"""Commands called in this process, and their database."""

import io
import json
import sqlite3
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from database_support import NOW
from tgllm.cli.main import main
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.schema import prepare


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Shell:
    """Where commands are called, in this process."""

    folder: Path
    """The current folder."""
    capsys: pytest.CaptureFixture[str]

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    def runs(self, *args: str) -> Result:
        """Call ``tgllm`` with these arguments."""
        self.capsys.readouterr()
        code = main(args)
        out, err = self.capsys.readouterr()
        return Result(code, out, err)

    def reads(self, *args: str, hints: bool = False) -> Any:
        """Call a command that has to succeed, and return the JSON that it prints; ``hints`` allows texts on stderr."""
        result = self.runs(*args)
        assert result.code == 0, result.err
        assert hints or not result.err
        return json.loads(result.out)

    def new_database(self) -> AbstractContextManager[sqlite3.Connection]:
        """Make the database of the shell, and open it for a block."""
        prepare(self.data_dir / "tgllm.db", NOW)
        return self.database()

    def database(self) -> AbstractContextManager[sqlite3.Connection]:
        """Open the database of the shell for a block."""
        return closing(connect(self.data_dir / "tgllm.db"))

    def writes_config(self, text: str) -> Path:
        path = self.folder / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path


class Terminal(io.StringIO):
    """A stream that passes for a terminal."""

    def isatty(self) -> bool:
        return True
