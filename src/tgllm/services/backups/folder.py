"""Folder of backups, of which the newest are kept."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.sqlite import in_words
from tgllm.db.file.backup import UNFINISHED
from tgllm.db.file.facts import facts_of
from tgllm.db.file.known import copies_of
from tgllm.services.backups.archive import is_archive_name
from tgllm.services.backups.making import Made, Order, make_backup, remove_unfinished
from tgllm.services.backups.reading import read_label

__all__ = ["Listed", "backup_into", "latest_time", "list_backups", "newest_backup", "stamped_name"]

# Files with other names are not ours and are never removed.
_OURS = re.compile(r"(?P<at>\d{8}T\d{6}\.\d{3}Z)\.(sqlite|tar)")


@dataclass(frozen=True, slots=True)
class Listed:
    """A backup in a folder, as it describes itself; it is not checked."""

    path: Path
    size: int
    """In bytes."""
    made_at: int | None
    """UTC in milliseconds."""
    schema: int | None = None
    program: str | None = None
    """Version of tgllm that made it or, for a copy of the database, that used it last."""
    files: int | None = None
    """Number of files in it; None for a copy of the database."""
    problem: str | None = None
    """Why it can't be used, if that shows at once."""


def stamped_name(now: int, ending: str = ".tar") -> str:
    """Return the name of a backup that is made at a time (UTC in milliseconds)."""
    seconds, milliseconds = divmod(now, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%S}.{milliseconds:03}Z{ending}"


def backup_into(order: Order, folder: Path, keep: int) -> Made:
    """Make a backup in ``folder``, then remove the oldest backups there. Blocks.

    Nothing is removed if the new backup fails, and the new one, which is checked, always stays.

    Args:
        order: the backup; its target is ignored.
        folder: created with mode 0700 if missing.
        keep: number of backups to keep, including the new one.

    Raises:
        BackupFailed: what was written is damaged.
        DatabaseError: the database can't be read, or the folder can't be written: its disk may be full.
    """
    with in_words(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What a killed process has left takes space.
        for path in [path for path in folder.iterdir() if _is_unfinished(path)]:
            remove_unfinished(path)
    made = make_backup(replace(order, target=folder / stamped_name(order.now)))
    with in_words(folder):
        ours = sorted(path for path in folder.iterdir() if _OURS.fullmatch(path.name))
        # With a clock that was once ahead, others may have later times in their names.
        others = [path for path in ours if path != made.path]
        for path in others[: max(len(others) - keep + 1, 0)]:
            path.unlink(missing_ok=True)
    return made


def _is_unfinished(path: Path) -> bool:
    return path.name.endswith(UNFINISHED) and _OURS.fullmatch(path.name.removesuffix(UNFINISHED)) is not None


def list_backups(folder: Path) -> list[Listed]:
    """Return the backups in a folder, newest first; other files are left out.

    Raises:
        DatabaseError: the folder can't be read.
    """
    with in_words(folder):
        found = sorted(folder.iterdir(), reverse=True) if folder.is_dir() else []
        return [listed for path in found if path.is_file() for listed in _listed(path)]


def newest_backup(database: Path, folder: Path) -> Listed | None:
    """Return the newest backup or copy of a database, in the folder of backups or beside the database.

    Args:
        database: the database file; its folder may be missing.
        folder: the folder of backups.

    Raises:
        DatabaseError: a folder can't be read.
    """
    found = {each.path: each for each in list_backups(folder)}
    with in_words(database.parent):
        for copy in copies_of(database, folder) if database.parent.is_dir() else ():
            facts = copy.stat()
            # Its name says when a backup was made; a restore or a copy of the folder changes the time of the file.
            found.setdefault(copy, Listed(copy, facts.st_size, round(facts.st_mtime * 1000)))
    return max(found.values(), key=lambda each: each.made_at or 0, default=None)


def latest_time(folder: Path) -> int | None:
    """Return when the newest backup in a folder was made, by its name (UTC in milliseconds); None if there is none.

    Raises:
        OSError: the folder can't be read.
    """
    matches = [match for path in folder.iterdir() if (match := _OURS.fullmatch(path.name))]
    return max(map(_time_of, matches), default=None)


def _time_of(match: re.Match[str]) -> int:
    at = datetime.strptime(f"{match['at'][:-1]}000", "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    return int(at.timestamp()) * 1000 + int(match["at"][16:19])


def _listed(path: Path) -> Iterator[Listed]:
    match = _OURS.fullmatch(path.name)
    if match is None:
        return
    size = path.stat().st_size
    listed = Listed(path, size, _time_of(match))
    try:
        if is_archive_name(path.name):
            label = read_label(path)
            files = label.files if label.with_files else None
            listed = Listed(path, size, label.made_at, label.schema, label.program, files)
        else:
            facts = facts_of(path)
            listed = replace(listed, schema=facts.version, program=facts.program)
    except (DatabaseError, OSError) as error:
        listed = replace(listed, problem=str(error))
    yield listed
