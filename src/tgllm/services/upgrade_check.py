"""Checks before and after an upgrade: they change nothing, and the database is not updated."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tgllm import __version__
from tgllm.api import Check, DatabaseError
from tgllm.db.engine.driver import require_driver
from tgllm.db.engine.place import Place, Server
from tgllm.db.file.check import Report
from tgllm.db.file.check import check as look_over
from tgllm.db.file.facts import program_of_file
from tgllm.db.file.migrating import needed_bytes
from tgllm.db.file.probe import free_bytes, mib
from tgllm.observe.installation import place_of
from tgllm.plugins.loading.records import PluginRecord
from tgllm.plugins.requirements import allowed_versions
from tgllm.services.backups.folder import newest_backup

__all__ = ["Target", "check_database", "check_plugins"]

BACKUP_DAYS = 7.0
"""Age of the newest backup from which there is a warning."""


@dataclass(frozen=True, slots=True)
class Target:
    """The version of tgllm that is checked."""

    version: str = __version__

    @property
    def is_this(self) -> bool:
        """Whether it is the installed version."""
        return self.version == __version__


def check_database(place: Place, backups: Path, now: float) -> Iterator[Check]:
    """Yield the checks of the database and of its backups. Blocks, for seconds if the database is large.

    Args:
        place: the database.
        backups: folder of the backups.
        now: UTC in seconds.
    """
    if isinstance(place, Server):
        yield _server(place)
        return
    path = place
    if not path.exists():
        yield Check("Database", "ok", "there is none yet; the bot makes it when it starts")
        return
    try:
        report = look_over(path)
    except DatabaseError as error:
        yield Check("Database", "failed", str(error))
        return
    yield _database(report)
    if report.version < report.known_version:
        needed, free = needed_bytes(path), free_bytes(path.parent)
        text = f"the update of the database needs {mib(needed)} MiB, {mib(free)} MiB are free"
        yield Check("Disk space", "ok" if free >= needed else "failed", text)
    yield _backup(path, backups, now)


def _database(report: Report) -> Check:
    damage = [*report.damage, *report.broken_references]
    if damage:
        text = f"{report.path} is damaged ({damage[0]}): restore a backup before you upgrade"
        return Check("Database", "failed", text)
    if report.version > report.known_version:
        program = program_of_file(report.path)
        made = f", last used by tgllm {program}," if program else ""
        text = f"its version {report.version}{made} is newer than this tgllm, which knows {report.known_version}"
        return Check("Database", "failed", f"{text}: install the newer tgllm, or restore the backup from before")
    if report.version < report.known_version:
        text = f"will be updated from version {report.version} to {report.known_version} when the bot starts, after"
        return Check("Database", "warning", f"{text} a rehearsal and a backup")
    return Check("Database", "ok", f"version {report.version}, up to date")


def _server(server: Server) -> Check:
    try:
        require_driver()
        from tgllm.db.postgres.check import check  # noqa: PLC0415  imports psycopg, which few bots need

        report = check(server)
    except DatabaseError as error:
        return Check("Database", "failed", str(error))
    if not report.version:
        return Check("Database", "ok", "it has no tables yet; the bot makes them when it starts")
    if report.version < report.known_version:
        text = f"will be updated from version {report.version} to {report.known_version} when the bot starts"
        return Check("Database", "warning", f"{text}: back it up before, with pg_dump")
    if report.problems:
        return Check("Database", "failed", " ".join(report.problems))
    return Check("Database", "ok", f"version {report.version}, up to date, on PostgreSQL {report.server_version}")


def _backup(path: Path, backups: Path, now: float) -> Check:
    try:
        newest = newest_backup(path, backups)
    except DatabaseError as error:
        return Check("Backup", "failed", str(error))
    if newest is None:
        return Check("Backup", "warning", "there is none: make one with tgllm db backup")
    at = (newest.made_at or 0) / 1000
    text = f"{newest.path}, of {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
    if newest.problem:
        text = f"{text}, which can't be used ({newest.problem})"
    if newest.problem or now - at > BACKUP_DAYS * 86_400:
        return Check("Backup", "warning", f"the newest is {text}: make another one with tgllm db backup")
    return Check("Backup", "ok", text)


def check_plugins(records: Iterable[PluginRecord], target: Target) -> Iterator[Check]:
    """Yield a check for each plugin that is not built in.

    Args:
        records: the plugins as they are with the installed tgllm.
        target: the version that their packages have to allow.
    """
    for record in records:
        if not record.builtin:
            yield _plugin(f"Plugin {record.id}", record, target)


def _plugin(title: str, record: PluginRecord, target: Target) -> Check:
    name = f"{record.package} {record.version}"
    allowed = None if record.state == "missing" else allowed_versions(record.package)
    if allowed is not None and not allowed.contains(target.version, prereleases=True):
        return Check(
            title,
            "failed",
            f"{name} is for tgllm {allowed}, not {target.version}. Upgrade it too: pip install --upgrade "
            f"{place_of(record.package)} . Or stay with a tgllm that it is for",
        )
    if record.state in {"quarantined", "misconfigured"} and target.is_this:
        return Check(title, "failed", f"{name}: {record.reason}")
    if record.state == "active":
        wanted = f"is for tgllm {allowed}" if allowed else "does not say which tgllm it is for"
        return Check(title, "ok", f"{name} {wanted}, API {record.api}")
    return Check(title, "warning", f"{name}: {record.reason}")
