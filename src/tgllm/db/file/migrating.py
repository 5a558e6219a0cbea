"""Update of a database to a newer schema: rehearsed on a copy, backed up, checked, and committed as a whole."""

import filecmp
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tgllm import __version__
from tgllm.db.engine.errors import DatabaseError, MigrationFailed
from tgllm.db.engine.sqlite import connect, in_transaction, run_script
from tgllm.db.file.backup import UNFINISHED, copy_to, discard_copy, write_copy
from tgllm.db.file.identity import mark_program, program_of, version_of
from tgllm.db.file.integrity import damage
from tgllm.db.file.objects import Schema, differences, row_counts, schema_of
from tgllm.db.file.probe import free_bytes, mib
from tgllm.db.migrations.load import Migration

__all__ = ["Update", "migrate", "needed_bytes"]

_COPIES = 3
"""The backup, the copy for the rehearsal, and the log of the update itself, each up to the size of the database."""
_SPARE_BYTES = 2**20
_CHANGED = re.compile(r"^-- rows change: (?P<tables>[a-z_, ]+)$", re.MULTILINE)
"""Line of a migration that adds or deletes rows on purpose."""

CreateTables = Callable[[sqlite3.Connection, int], None]
"""Creates what is missing of the schema; its second argument is the newest version."""


@dataclass(frozen=True, slots=True)
class Update:
    """Migrations to run."""

    steps: Sequence[Migration]
    """At least one, in order of version."""
    now: int
    """UTC in milliseconds."""
    wanted: Schema | None
    """What the schema has to be afterwards; None: it is not compared."""
    free: Callable[[Path], int] = free_bytes
    """Returns the free bytes of a folder's disk."""

    @property
    def version(self) -> int:
        """Schema version after the update."""
        return self.steps[-1].version


class _Refused(Exception):
    """Failed check of a migrated database; the text says which."""


def migrate(conn: sqlite3.Connection, path: Path, update: Update, create_tables: CreateTables) -> None:
    """Run the migrations on the database of ``conn``, all in one transaction.

    Raises:
        MigrationFailed: a migration or a check of its result failed; the database is as it was, and the message says
            what to do.
        DatabaseError: the disk has too little space, which is known before anything is written.
    """
    _check_space(path, update)
    before = version_of(conn)
    backup = _back_up(conn, path, before, update.now)
    try:
        _rehearse(conn, path, update, create_tables)
        _run(conn, update, create_tables)
    except (sqlite3.Error, OSError, DatabaseError, _Refused) as error:
        raise _failure(conn, path, update, backup, error) from error


def needed_bytes(path: Path) -> int:
    """Return the free disk space that an update of the database needs."""
    log = path.with_name(f"{path.name}-wal")
    size = path.stat().st_size + (log.stat().st_size if log.exists() else 0)
    return size * _COPIES + _SPARE_BYTES


def _check_space(path: Path, update: Update) -> None:
    needed, free = needed_bytes(path), update.free(path.parent)
    if free < needed:
        raise DatabaseError(
            f"{path} has to be updated for this tgllm, which needs {mib(needed)} MiB of free disk space for a backup "
            f"and a rehearsal; {mib(free)} MiB are free. Nothing was changed. Free some space, then start again.",
            code="database_full",
            path=str(path),
        )


def _back_up(conn: sqlite3.Connection, path: Path, version: int, now: int) -> Path:
    at = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    name = f"{path.name}.backup-v{version}-{at}"
    # What an update that was killed has left; its backup had another time in its name.
    for left in path.parent.glob(f"{path.name}.backup-v*{UNFINISHED}*"):
        left.unlink(missing_ok=True)
    earlier = [each for each in path.parent.glob(f"{path.name}.backup-v{version}-*Z*") if each.is_file()]
    target = path.with_name(name)
    number = 2
    while target.exists():
        target = path.with_name(f"{name}-{number}")
        number += 1
    copy_to(conn, target)
    return _only_one(target, earlier)


def _only_one(backup: Path, earlier: Sequence[Path]) -> Path:
    """Return an earlier backup of the same content and remove the new one, else return that.

    An update that fails or is killed at each start must not fill the disk with copies.
    """
    for each in earlier:
        with suppress(OSError):
            if filecmp.cmp(each, backup, shallow=False):
                backup.unlink()
                return each
    return backup


def _rehearse(conn: sqlite3.Connection, path: Path, update: Update, create_tables: CreateTables) -> None:
    copy = path.with_name(f"{path.name}.rehearsal")
    try:
        write_copy(conn, copy)
        with closing(connect(copy)) as rehearsed:
            rehearsed.execute("PRAGMA journal_mode = MEMORY")
            _run(rehearsed, update, create_tables)
            found = damage(rehearsed)
            if found:
                raise _Refused(f"the result is damaged ({found[0]})")
    finally:
        discard_copy(copy)


def _run(conn: sqlite3.Connection, update: Update, create_tables: CreateTables) -> None:
    def run(conn: sqlite3.Connection) -> None:
        if version_of(conn) >= update.version:  # another process was faster
            return
        for step in update.steps:
            if version_of(conn) < step.version:
                _apply(conn, step)
        create_tables(conn, update.version)
        wrong = [] if update.wanted is None else list(differences(schema_of(conn), update.wanted))
        if wrong:
            raise _Refused(f"the result has not the expected schema: {', '.join(wrong)}")
        mark_program(conn, update.now)

    # SQLite: a table is rebuilt with foreign keys off, and the pragma has no effect inside a transaction.
    conn.execute("PRAGMA foreign_keys = OFF")
    try:
        in_transaction(conn, run, "BEGIN IMMEDIATE")
    finally:
        conn.execute("PRAGMA foreign_keys = ON")


def _apply(conn: sqlite3.Connection, step: Migration) -> None:
    rows = row_counts(conn)
    try:
        run_script(conn, step.sql)
        _check_references(conn)
        _check_rows(rows, row_counts(conn), step)
    except (sqlite3.Error, _Refused) as error:
        raise _Refused(f"version {step.version} ({step.name}): {error}") from error
    conn.execute(f"PRAGMA user_version = {step.version}")


def _check_references(conn: sqlite3.Connection) -> None:
    broken = conn.execute("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        raise _Refused(f"a row of {broken['table']} points to a missing row of {broken['parent']}")


def _check_rows(before: Mapping[str, int], after: Mapping[str, int], step: Migration) -> None:
    found = _CHANGED.search(step.sql)
    changed = {name.strip() for name in found["tables"].split(",")} if found else set[str]()
    for table in before.keys() & after.keys() - changed:
        if before[table] != after[table]:
            raise _Refused(f"the number of rows of {table} would change from {before[table]} to {after[table]}")


def _failure(
    conn: sqlite3.Connection, path: Path, update: Update, backup: Path, error: BaseException
) -> MigrationFailed:
    program = program_of(conn)
    return MigrationFailed(
        f"The update of {path} to version {update.version} failed: {error}. The database is as it was before, at "
        f"version {version_of(conn)}; {backup} is a copy of it. Go back to {_named(program)}, which works with it as "
        "before, and report this with the sentence above.",
        path=str(path),
        version=update.version,
        reason=str(error),
        backup=str(backup),
    )


def _named(program: str | None) -> str:
    if program is None or program == __version__:
        return "the tgllm that you had"
    return f"the tgllm that you had: pip install 'tgllm=={program}'"
