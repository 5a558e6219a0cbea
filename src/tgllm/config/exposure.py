"""Files of the bot that other users of the machine can read or change, and the commands that mend it.

Config files contain keys, and the data folder all conversations. Permissions of a group are the operator's choice.
"""

import os
import pwd
import shlex
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tgllm.config.load import LoadedConfig
from tgllm.config.paths import database_path
from tgllm.i18n import Catalogue

__all__ = ["Exposed", "Problem", "exposed", "exposed_files", "exposure_text"]

Problem = Literal["owner", "writable", "readable", "folder"]

ROOT = 0
_BACKUPS = ("*.backup-*", "before-restore-*", "backups", "backups/*.sqlite", "backups/*.tar")


@dataclass(frozen=True, slots=True)
class Exposed:
    """A file or folder that others can read or change."""

    path: Path
    problem: Problem
    """``folder``: others can replace it, because they can write to a folder above it, which ``path`` is."""
    cure: str
    """The shell command that mends it."""


def exposed_files(loaded: LoadedConfig) -> list[Exposed]:
    """Check the config file, ``.env``, key files, the data folder, the database and its backups, if they exist."""
    folder = loaded.config.data_dir
    database = database_path(folder)
    files = [] if loaded.path is None else [loaded.path]
    files += [path for path in loaded.plugins.files if path != loaded.path]
    beside = [database, *(database.with_name(f"{database.name}-{end}") for end in ("wal", "shm"))]
    backups = [path for pattern in _BACKUPS for path in sorted(_glob(folder, pattern))]
    secrets = {*loaded.secret_files, *loaded.plugins.secret_files}
    keys = [path for path in loaded.plugins.key_files if path.is_absolute() and path not in secrets]
    keys += sorted(path for path in secrets if not _is_read_only(path))
    if google := os.environ.get("GOOGLE_APPLICATION_CREDENTIALS", "").strip():
        # Read by Google's libraries, which the settings of no plugin name.
        keys.append(Path(google))
    return list(exposed([*files, folder, *beside, *backups, *keys]))


def _glob(folder: Path, pattern: str) -> list[Path]:
    try:
        return list(folder.glob(pattern))
    except OSError:
        return []


def _is_read_only(path: Path) -> bool:
    """Return whether a file is on a read-only file system, as secrets in containers: no mode can be changed there."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def exposed(paths: Iterable[Path]) -> Iterator[Exposed]:
    """Yield what is exposed of these files and folders, and of the folders above them, each once."""
    above: dict[Path, None] = {}
    for path in paths:
        try:
            real = path.resolve()
            found = _problem(real.stat())
        except (OSError, RuntimeError):
            # It does not exist, or can't be seen by this user either.
            continue
        if found is not None:
            yield Exposed(path, found, _cure(real, found))
        above |= dict.fromkeys(real.parents)
    yield from (Exposed(folder, "folder", _cure(folder, "folder")) for folder in above if _is_open(folder))


def _problem(status: os.stat_result) -> Problem | None:
    if status.st_uid not in {os.geteuid(), ROOT}:
        return "owner"
    if status.st_mode & stat.S_IWOTH:
        return "writable"
    return "readable" if status.st_mode & stat.S_IROTH else None


def _is_open(folder: Path) -> bool:
    """Return whether others can replace files in a folder."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return False
    # In a folder with the sticky bit, such as /tmp, only the owner of a file can replace it.
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def _cure(path: Path, problem: Problem) -> str:
    name = shlex.quote(str(path))
    if problem == "owner":
        return f"chown {_me()} {name}"
    return f"chmod {'o-w' if problem == 'folder' else 'o-rwx'} {name}"


def _me() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def exposure_text(texts: Catalogue, found: Exposed) -> str:
    """Return a sentence with the command that mends it."""
    return texts(f"shell.exposed_{found.problem}", path=found.path, cure=found.cure)
