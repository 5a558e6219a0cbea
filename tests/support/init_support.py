"""Types of the fixtures that call ``tgllm init``, and what its tests read and write."""

import stat
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

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
