"""Checks of the disk: file system, free space, age of the newest backup, size and soundness of the database."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tgllm.api import Check, DatabaseError
from tgllm.config.model import Config
from tgllm.database_place import database_place
from tgllm.db.engine.place import Server
from tgllm.db.file.check import check
from tgllm.db.file.known import marker_of
from tgllm.db.file.probe import free_bytes
from tgllm.db.looking import is_running
from tgllm.i18n import Catalogue
from tgllm.services.backups.folder import newest_backup

__all__ = ["check_backups", "check_database_file", "check_disk", "check_running", "file_system"]

MIB: Final = 2**20
_NETWORK: Final = {
    "9p", "afs", "ceph", "cifs", "drvfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "gfs2", "lustre",
    "ncpfs", "nfs", "nfs4", "prl_fs", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
}  # fmt: skip
"""File systems on which several machines, or a host and its guest, share files."""
_FLEETING: Final = {"tmpfs", "ramfs"}
_LAYERED: Final = {"overlay", "aufs"}
_MOUNTS: Final = Path("/proc/self/mountinfo")
MOST_CHECKED_BYTES: Final = 512 * MIB
"""Size of a database up to which its integrity is checked here, which reads the whole file."""
MOST_LOG_BYTES: Final = 256 * MIB
"""Size of a write-ahead log from which there is a warning."""
OLD_DAYS: Final = 7
DAY: Final = 86_400.0


def check_disk(config: Config, texts: Catalogue) -> Sequence[Check]:
    """Return the checks of the disk on which the data folder is, or will be."""
    folder = next(each for each in (config.data_dir, *config.data_dir.parents) if each.exists())
    kind = file_system(folder)
    place = database_place(config)
    size = place.stat().st_size if isinstance(place, Path) and place.exists() else 0
    # A backup or a migration copies the database; received files leave a part of the disk free.
    needed = int(config.files.keep_free_mb * MIB) + size
    free = free_bytes(folder)
    space = (
        Check("Disk", "warning", texts("doctor.disk_low", size=_mib(free), limit=_mib(needed), path=folder))
        if free < needed
        else Check("Disk", "ok", texts("doctor.disk_enough", size=_mib(free), path=folder))
    )
    if isinstance(place, Server) and kind in _NETWORK:
        # Several replicas share the files, and no SQLite is there.
        return (space, Check("File system", "ok", kind))
    return (space, _file_system(kind, config.data_dir, texts))


def _file_system(kind: str, folder: Path, texts: Catalogue) -> Check:
    if kind in _NETWORK:
        return Check("File system", "warning", texts("doctor.disk_network", kind=kind, path=folder))
    if kind in _FLEETING:
        return Check("File system", "warning", texts("doctor.disk_fleeting", kind=kind, path=folder))
    if kind in _LAYERED:
        return Check("File system", "warning", texts("doctor.disk_layered", kind=kind, path=folder))
    return Check("File system", "ok", kind or texts("doctor.disk_unknown"))


def file_system(folder: Path, mounts: Path = _MOUNTS) -> str:
    """Return the type of a folder's file system, such as ``ext4``; empty where Linux does not tell it."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    real = folder.resolve()
    found = [(point, kind) for point, kind in map(_mount, lines) if real.is_relative_to(point)]
    # The innermost mount counts, and of several in one place the last one.
    return max(enumerate(found), key=lambda each: (len(each[1][0].parts), each[0]))[1][1] if found else ""


def _mount(line: str) -> tuple[Path, str]:
    """Return mount point and type of a line of mountinfo. proc(5)."""
    before, _, after = line.partition(" - ")
    fields, kinds = before.split(), after.split()
    if len(fields) < 5 or not kinds:
        return Path("/nowhere"), ""
    point = fields[4].encode("latin-1", "replace").decode("unicode_escape")
    return Path(point), kinds[0]


def check_database_file(config: Config, texts: Catalogue) -> Sequence[Check]:
    """Return the checks of version, size, soundness and log of the database file; none for a server."""
    place = database_place(config)
    return tuple(_database_file(place, texts)) if isinstance(place, Path) else ()


def _database_file(path: Path, texts: Catalogue) -> Iterator[Check]:
    if not path.exists():
        return
    size = path.stat().st_size
    if size > MOST_CHECKED_BYTES:
        yield Check("Database integrity", "ok", texts("doctor.database_large", size=_mib(size)))
    else:
        try:
            report = check(path)
        except DatabaseError as error:
            yield Check("Database integrity", "failed", str(error))
            return
        problems = " ".join(report.problems)
        words = problems or texts("doctor.database_sound", version=report.version, size=_mib(size))
        yield Check("Database integrity", "failed" if problems else "ok", words)
    log = path.with_name(f"{path.name}-wal")
    length = log.stat().st_size if log.exists() else 0
    if length > MOST_LOG_BYTES:
        yield Check("Database log", "warning", texts("doctor.database_log", size=_mib(length), path=log))


def check_backups(config: Config, now: float, texts: Catalogue) -> Sequence[Check]:
    """Return the check of the newest backup, by age and by what it says about itself; none before the bot has run."""
    path = database_place(config)
    if isinstance(path, Server):
        return (Check("Backups", "ok", texts("doctor.backup_server")),)
    try:
        newest = newest_backup(path, config.backups_folder)
    except DatabaseError as error:
        return (Check("Backups", "failed", str(error)),)
    if newest is None:
        return (Check("Backups", "warning", texts("doctor.backup_none")),) if marker_of(path).exists() else ()
    problem, days = newest.problem or "", max(0.0, now - (newest.made_at or 0) / 1000) / DAY
    old = texts("doctor.backup_old") if days > OLD_DAYS or problem else ""
    parts = texts("doctor.backup_age", path=newest.path, count=int(days)), problem, old
    words = " ".join(part for part in parts if part)
    return (Check("Backups", "warning" if old else "ok", words),)


def check_running(config: Config, texts: Catalogue) -> Sequence[Check]:
    """Return whether the bot runs on this data folder; for a server, ``check_server`` does."""
    place = database_place(config)
    if isinstance(place, Server):
        return ()
    return (Check("Bot", "ok", texts("doctor.bot_running" if is_running(place) else "doctor.bot_stopped")),)


def _mib(size: int) -> str:
    return f"{size / MIB:.0f}" if size >= MIB else f"{size / MIB:.1f}"
