"""Schema of the database file: created if missing, migrated if older, refused if newer."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from tgllm.db.engine.errors import DatabaseError, MigrationFailed
from tgllm.db.engine.full_text import has_full_text
from tgllm.db.engine.sqlite import connect, in_transaction, in_words, run_script
from tgllm.db.file.backup import copy_to
from tgllm.db.file.identity import APPLICATION_ID, latest_version, refuse_foreign, version_of
from tgllm.db.file.known import refuse_missing
from tgllm.db.file.stray_log import refuse_stray_log
from tgllm.db.migrations.load import Migration, shipped

__all__ = ["full_text_sql", "models_sql", "prepare"]


def models_sql() -> str:
    """Return the whole schema but the full-text indexes as idempotent SQL."""
    return files("tgllm.db").joinpath("models.sql").read_text(encoding="utf-8")


def full_text_sql() -> str:
    """Return the full-text indexes as idempotent SQL, which needs FTS5."""
    return files("tgllm.db").joinpath("full_text.sql").read_text(encoding="utf-8")


def prepare(path: Path, now: int, migrations: Sequence[Migration] | None = None) -> None:
    """Create the file or migrate it to this version.

    Args:
        path: the database file; missing parent folders are created.
        now: UTC in milliseconds, for the name of the backup.
        migrations: migrations in order of version; the shipped ones by default.

    Raises:
        DatabaseMissing: the bot has run with the file before, and it is missing or empty now.
        DatabaseTooNew: the file is of a newer version.
        MigrationFailed: a migration failed; the file is as it was before that migration.
        DatabaseError: the file can't be used, or belongs to another program.
    """
    steps = shipped() if migrations is None else migrations
    with in_words(path):
        refuse_missing(path)
        refuse_stray_log(path)
        _make_file(path)
        with closing(connect(path)) as conn:
            refuse_foreign(conn, path, latest_version(steps))
            _use_wal(conn)
            if version_of(conn) > 0:
                _migrate(conn, path, now, steps)
            _create_tables(conn, latest_version(steps))


def _make_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Created before SQLite opens it: SQLite gives its -wal and -shm files the mode of the main file.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _use_wal(conn: sqlite3.Connection) -> None:
    # Checked first, because a change of the mode needs exclusive access to the file.
    if conn.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        conn.execute("PRAGMA journal_mode = WAL")


def _create_tables(conn: sqlite3.Connection, latest: int) -> None:
    def create(conn: sqlite3.Connection) -> None:
        run_script(conn, models_sql())
        if has_full_text(conn):
            run_script(conn, full_text_sql())
        if version_of(conn) == 0:
            conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            conn.execute(f"PRAGMA user_version = {latest}")

    in_transaction(conn, create, "BEGIN IMMEDIATE")


def _migrate(conn: sqlite3.Connection, path: Path, now: int, migrations: Sequence[Migration]) -> None:
    before = version_of(conn)
    waiting = [step for step in migrations if step.version > before]
    if not waiting:
        return
    backup = _back_up(conn, path, before, now)
    # SQLite: a table is rebuilt with foreign keys off, and the pragma has no effect inside a transaction.
    conn.execute("PRAGMA foreign_keys = OFF")
    try:
        for step in waiting:
            _apply(conn, path, step)
    finally:
        conn.execute("PRAGMA foreign_keys = ON")
        if version_of(conn) == before:
            backup.unlink()


def _back_up(conn: sqlite3.Connection, path: Path, version: int, now: int) -> Path:
    at = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    name = f"{path.name}.backup-v{version}-{at}"
    target = path.with_name(name)
    number = 2
    while target.exists():
        target = path.with_name(f"{name}-{number}")
        number += 1
    copy_to(conn, target)
    return target


def _apply(conn: sqlite3.Connection, path: Path, step: Migration) -> None:
    def apply(conn: sqlite3.Connection) -> None:
        if version_of(conn) >= step.version:  # another process was faster
            return
        run_script(conn, step.sql)
        _check_references(conn)
        conn.execute(f"PRAGMA user_version = {step.version}")

    try:
        in_transaction(conn, apply, "BEGIN IMMEDIATE")
    except (sqlite3.Error, DatabaseError) as error:
        raise MigrationFailed(
            f"The update of {path} to version {step.version} ({step.name}) failed: {error}. "
            "The file is as it was before this step. Go back to the tgllm that you had, and report this.",
            path=str(path),
            version=step.version,
            reason=str(error),
        ) from error


def _check_references(conn: sqlite3.Connection) -> None:
    broken = conn.execute("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        raise sqlite3.IntegrityError(f"a row of {broken['table']} points to a missing row of {broken['parent']}")
