"""Schema of the database file: created if missing, migrated if older, refused if newer."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from tgllm.db.engine.full_text import has_full_text
from tgllm.db.engine.sqlite import connect, in_transaction, in_words, run_script
from tgllm.db.file.identity import APPLICATION_ID, latest_version, refuse_foreign, version_of
from tgllm.db.file.known import refuse_missing, refuse_stray_log
from tgllm.db.migrations.load import Migration, shipped

if TYPE_CHECKING:
    from tgllm.db.file.objects import Schema

__all__ = ["create_tables", "fresh_schema", "full_text_sql", "models_sql", "prepare"]


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
        MigrationFailed: a migration failed; the file is as it was.
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
            waiting = [step for step in steps if step.version > version_of(conn) > 0]
            if waiting:
                from tgllm.db.file.migrating import Update, migrate  # noqa: PLC0415  once for each new version

                is_ours = migrations is None
                migrate(conn, path, Update(waiting, now, fresh_schema() if is_ours else None), create_tables)
            else:
                in_transaction(conn, lambda conn: create_tables(conn, latest_version(steps)), "BEGIN IMMEDIATE")


def _make_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Created before SQLite opens it: SQLite gives its -wal and -shm files the mode of the main file.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _use_wal(conn: sqlite3.Connection) -> None:
    # Checked first, because a change of the mode needs exclusive access to the file.
    if conn.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        conn.execute("PRAGMA journal_mode = WAL")


def create_tables(conn: sqlite3.Connection, latest: int) -> None:
    """Create what is missing of the schema, within a transaction; an empty file gets the version ``latest``."""
    run_script(conn, models_sql())
    if has_full_text(conn):
        run_script(conn, full_text_sql())
    if version_of(conn) == 0:
        conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        conn.execute(f"PRAGMA user_version = {latest}")


def fresh_schema() -> "Schema":
    """Return the schema of a new database."""
    from tgllm.db.file.objects import schema_of  # noqa: PLC0415  only to compare after a migration

    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        conn.execute("BEGIN")
        run_script(conn, models_sql())
        return schema_of(conn)
