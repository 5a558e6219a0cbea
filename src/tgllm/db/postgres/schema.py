"""Schema of a database on a server: created if missing, migrated if older, refused if newer."""

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import psycopg

from tgllm import __version__
from tgllm.db.engine.errors import DatabaseError, DatabaseTooNew, MigrationFailed
from tgllm.db.engine.place import shown
from tgllm.db.migrations.load import Migration, load
from tgllm.db.postgres.errors import explain
from tgllm.db.postgres.marks import Mark, has_other_tables, mark_of, refuse_unfit, set_mark

__all__ = ["FIRST_VERSION", "found_mark", "latest_version", "migrations", "prepare"]

FIRST_VERSION: Final = 18
"""The first version of the schema that a server can have."""
CONNECT_SECONDS: Final = 10
LOCK: Final = 0x74676C6D
"""Number of the lock that one process holds while it creates or migrates: "tglm" in ASCII."""
# A migration waits for the transactions of others; those that wait behind it must not do so for long.
_WAITS: Final = b"SET LOCAL lock_timeout = '30s'"

Connection = psycopg.Connection[Any]


@cache
def migrations() -> Sequence[Migration]:
    """Return the migrations of this program."""
    return load(Path(__file__).parent / "migrations", FIRST_VERSION)


def latest_version(steps: Sequence[Migration]) -> int:
    """Return the version after all migrations."""
    return steps[-1].version if steps else FIRST_VERSION


def prepare(url: str, now: int, steps: Sequence[Migration] | None = None) -> None:
    """Create the schema in an empty database, or migrate it to this version.

    Several processes may do this at the same time: one does it, the others wait for it.

    Args:
        url: of the database.
        now: UTC in milliseconds.
        steps: migrations in order of version; the shipped ones by default.

    Raises:
        DatabaseTooNew: the database is of a newer version.
        MigrationFailed: a migration failed; the database is as it was.
        DatabaseError: the server can't be used or is too old, or the database belongs to another program.
    """
    place = shown(url)
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS) as conn:
            _prepare(conn, place, now, migrations() if steps is None else steps)
    except psycopg.Error as error:
        raise explain(error, place) or error from error


def _prepare(conn: Connection, place: str, now: int, steps: Sequence[Migration]) -> None:
    refuse_unfit(conn, place)
    wanted = Mark(latest_version(steps), __version__, _digest(_file("functions.sql")))
    if _is_done(found_mark(conn, place, wanted.version), wanted):
        return
    with conn.transaction():
        conn.execute(_WAITS)
        conn.execute("SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))", (LOCK,))
        # Another process may have done it meanwhile.
        found = found_mark(conn, place, wanted.version)
        if _is_done(found, wanted):
            return
        conn.execute(_file("functions.sql"))
        if found is None:
            conn.execute(_file("models.sql"))
            conn.execute(_file("full_text.sql"))
        else:
            for step in steps:
                if step.version > found.version:
                    _apply(conn, place, step)
        set_mark(conn, wanted, now)


def found_mark(conn: Connection, place: str, known: int) -> Mark | None:
    """Return what the database says of its schema; None: it is empty. ``known`` is the program's version of it.

    Raises:
        DatabaseTooNew: it is of a newer version.
        DatabaseError: it belongs to another program.
    """
    found = mark_of(conn)
    if found is None:
        if has_other_tables(conn):
            raise DatabaseError(
                f"{place} has tables of another program. Make a database for the bot alone (createdb), or a schema "
                "(CREATE SCHEMA) which database.url names: ?options=-csearch_path%3DNAME",
                code="database_foreign",
                place=place,
            )
        return None
    if found.version > known:
        raise DatabaseTooNew(
            f"{place} has version {found.version}, and this tgllm knows versions up to {known}. It was last "
            f"updated by tgllm {found.program}, and this is {__version__}. Install tgllm {found.program}, or restore "
            "the backup that was made before the update.",
            place=place,
            found=found.version,
            known=known,
            program=found.program,
        )
    return found


def _is_done(found: Mark | None, wanted: Mark) -> bool:
    if found is None or found.version < wanted.version:
        return False
    # While replicas are replaced one by one, an earlier program may start again: it leaves the functions of the later.
    return found.functions == wanted.functions or _numbers(found.program) > _numbers(wanted.program)


def _apply(conn: Connection, place: str, step: Migration) -> None:
    try:
        conn.execute(step.sql.encode())
    except psycopg.Error as error:
        if isinstance(error, psycopg.errors.LockNotAvailable | psycopg.OperationalError):
            raise
        raise MigrationFailed(
            f"The update of {place} to version {step.version} ({step.name}) failed: {str(error).strip()}. The database "
            "is as it was before. Go back to the tgllm that you had, which works with it as before, and report this "
            "with the sentence above.",
            place=place,
            version=step.version,
            reason=str(error).strip(),
        ) from error


def _file(name: str) -> bytes:
    return files("tgllm.db.postgres").joinpath(name).read_bytes()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
