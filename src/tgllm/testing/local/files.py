"""Files of a plugin's folder, and which of them have changed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

__all__ = ["Stamps", "is_own", "stamps_of"]

Stamps: TypeAlias = Mapping[Path, tuple[int, int, int]]
"""Time of the last change, size and inode, by file."""

_FOREIGN: Final = frozenset({"__pycache__", "build", "dist", "node_modules", "site-packages", "venv"})
_TESTS: Final = "tests"
_DRAFTS: Final = ("~", ".swp", ".swx", ".tmp", ".pyc", ".pyo")
_ENVIRONMENT: Final = "pyvenv.cfg"


def stamps_of(place: Path) -> Stamps:
    """Return the stamps of a file, or of all files of a folder that count: not hidden ones, caches and tests.

    What vanishes meanwhile, or can't be read, is left out.
    """
    files = _files(place) if place.is_dir() else [place]
    found: dict[Path, tuple[int, int, int]] = {}
    for file in files:
        with suppress(OSError):
            stat = file.stat()
            found[file] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return found


def is_own(file: Path, root: Path) -> bool:
    """Return whether a file below a folder belongs to the plugin there, and not to an environment inside of it."""
    if not file.is_relative_to(root):
        return False
    *folders, _ = file.relative_to(root).parts
    inner = root
    for name in folders:
        inner /= name
        if not _counts(inner):
            return False
    return True


def _files(folder: Path) -> Iterator[Path]:
    for base, folders, names in os.walk(folder):
        here = Path(base)
        folders[:] = [name for name in folders if _counts(here / name) and (here != folder or name != _TESTS)]
        yield from (here / name for name in names if not name.startswith((".", "#")) and not name.endswith(_DRAFTS))


def _counts(folder: Path) -> bool:
    name = folder.name
    is_foreign = name.startswith(".") or name in _FOREIGN or name.endswith(".egg-info")
    return not is_foreign and not (folder / _ENVIRONMENT).exists()
