"""Files of plugins in backups: those of their data folders but for models and caches, which can be had again."""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from tgllm.db.engine.sqlite import connect, in_words
from tgllm.db.file.swap import sync_folder
from tgllm.db.tables import kv

__all__ = ["FOLDER", "drop_unpacked", "finish", "is_plugin_file", "mark", "plugin_files", "unpacked"]

FOLDER: Final = "plugins"
"""Folder of the data folder with a folder for each plugin."""
LEFT_OUT: Final = frozenset({"cache", "models"})
"""Folders in that of a plugin that are left out; so is every folder with the file ``TAG`` in it."""
TAG: Final = "CACHEDIR.TAG"
"""Cache Directory Tagging Specification: a folder with this file is a cache, which backups leave out."""
_UNPACKED: Final = "plugins.restoring"
_MOVING: Final = "plugins.restored"
_SCOPE, _KEY = "restore", "plugins"
_PLUGIN: Final = re.compile(r"[a-z][a-z0-9_]*")
_MOST_PARTS: Final = 20
_MOST_BYTES: Final = 255


def plugin_files(data_dir: Path) -> Iterator[str]:
    """Yield the names of the files of plugins, relative to the data folder, in order."""
    root = data_dir / FOLDER
    for folder, folders, names in os.walk(root):
        depth = len(Path(folder).relative_to(root).parts)
        folders[:] = sorted(name for name in folders if depth != 1 or name not in LEFT_OUT)
        if TAG in names:
            folders[:] = []
            continue
        for name in sorted(names):
            path = Path(folder, name)
            member = path.relative_to(data_dir).as_posix()
            # Links could lead anywhere, and sockets have no content.
            if is_plugin_file(member) and stat.S_ISREG(path.lstat().st_mode):
                yield member


def is_plugin_file(name: str) -> bool:
    """Return whether a name in a backup is one of a plugin's file, and leads nowhere else."""
    try:
        parts = [(part, len(part.encode())) for part in name.split("/")]
    except UnicodeEncodeError:
        return False
    if not 3 <= len(parts) <= _MOST_PARTS or parts[0][0] != FOLDER or _PLUGIN.fullmatch(parts[1][0]) is None:
        return False
    return all(0 < size <= _MOST_BYTES and part not in {".", ".."} and "\0" not in part for part, size in parts)


def unpacked(data_dir: Path, name: str) -> Path:
    """Return where a plugin's file of a backup is unpacked, beside those in use; its folder is made."""
    path = data_dir / _UNPACKED / name.removeprefix(f"{FOLDER}/")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def drop_unpacked(data_dir: Path) -> None:
    """Remove what a restore has unpacked that was not finished."""
    shutil.rmtree(data_dir / _UNPACKED, ignore_errors=True)


def mark(database: Path, aside: Path | None, now: int) -> None:
    """Note in an unpacked database that files of plugins belong to it, which ``finish`` puts in place after it.

    Args:
        database: the database, before it takes the place of the one in use.
        aside: folder that keeps the present files.
        now: UTC in milliseconds.
    """
    if (database.parent / _UNPACKED).is_dir():
        with closing(connect(database)) as conn:
            kv.set_value(conn, _SCOPE, _KEY, "" if aside is None else aside.name, now)


def finish(database: Path) -> None:
    """Put unpacked files of plugins in place if the database in use is the one that they belong to.

    A restore that was killed is continued by this. Blocks.

    Raises:
        DatabaseError: the database is damaged, or the data folder can't be written.
    """
    folder = database.parent
    moving, waiting = folder / _MOVING, folder / _UNPACKED
    if not database.is_file():
        return
    if not (moving.exists() or waiting.exists()):
        return
    with in_words(database), closing(connect(database)) as conn:
        aside = kv.get(conn, _SCOPE, _KEY)
        if aside is not None:
            if not moving.exists():
                _move_aside(folder, str(aside))
                # From here on the files in use are partly the new ones.
                waiting.replace(moving)
                sync_folder(folder)
            _move_in(moving, folder / FOLDER)
        shutil.rmtree(moving, ignore_errors=True)
        kv.delete(conn, _SCOPE, _KEY)
    drop_unpacked(folder)


def _move_aside(folder: Path, aside: str) -> None:
    for name in list(plugin_files(folder)):
        if aside:
            kept = folder / aside / name
            kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / name).replace(kept)
        else:
            (folder / name).unlink()


def _move_in(source: Path, target: Path) -> None:
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        place = target / path.relative_to(source)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if place.is_dir() and not place.is_symlink():
            # Its files were moved away, except for caches.
            shutil.rmtree(place)
        path.replace(place)
        sync_folder(place.parent)
