"""Commands called in this process, and their database."""

import io
import json
import sqlite3
import stat
import tomllib
from collections.abc import Awaitable, Callable
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


Init = Callable[..., Awaitable[Any]]
"""Calls ``tgllm init`` with lines of input, and with ``options``; returns how it ended."""


def exists(path: Path) -> bool:
    """Whether there is a file or folder."""
    return path.exists()


def settings(path: Path) -> dict[str, Any]:
    """What a config file says."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def read(path: Path) -> str:
    """The content of a file."""
    return path.read_text(encoding="utf-8")


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def put(path: Path, text: str) -> None:
    """Make a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def link(path: Path, target: Path) -> None:
    """Make a symbolic link."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def is_link(path: Path) -> bool:
    """Whether it is a symbolic link."""
    return path.is_symlink()


def copies(path: Path) -> list[Path]:
    """The copies of earlier config files."""
    return list(path.parent.glob("*.bak"))
