"""What a copy of the database says about itself, for backups and before it is restored."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tgllm.db.engine.errors import DatabaseError, RestoreRefused
from tgllm.db.engine.sqlite import connect, in_words
from tgllm.db.file.identity import latest_version, program_of, refuse_foreign, version_of
from tgllm.db.file.integrity import damage
from tgllm.db.migrations.load import shipped
from tgllm.db.tables import kv

__all__ = ["Blob", "Facts", "account_of", "examine", "facts_of", "refuse_unusable"]


@dataclass(frozen=True, slots=True)
class Blob:
    """Content of a file as the database describes it."""

    path: str
    """Relative to the data folder."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Identity and files of a database."""

    version: int
    """Of the schema."""
    program: str | None
    """Version of the tgllm that used it last."""
    bot_id: int | None
    """Telegram's id of the bot; None if no bot has run with it."""
    username: str | None
    """The bot's, without the @."""
    blobs: tuple[Blob, ...]
    """The files of its attachments, each once."""


def facts_of(path: Path) -> Facts:
    """Return the facts of a database, which may be in use.

    Raises:
        DatabaseError: it can't be read, is of a newer version, or belongs to another program.
    """
    with in_words(path), closing(connect(path, "ro")) as conn:
        refuse_foreign(conn, path, latest_version(shipped()))
        return _facts(conn)


def account_of(path: Path) -> int | None:
    """Return the id of the bot that has run with a database; None if that can't be found out."""
    try:
        with closing(connect(path, "ro")) as conn:
            return _account(conn)[0]
    except (sqlite3.Error, OSError, DatabaseError):
        return None


def examine(path: Path, source: Path) -> Facts:
    """Check a staged copy completely, before it takes the place of the database.

    Args:
        path: the copy, which is not in use.
        source: the backup that it comes from, for the messages.

    Raises:
        RestoreRefused: it is damaged, no database, another program's, empty, or of a newer version.
    """
    try:
        with in_words(source), closing(connect(path, "ro")) as conn:
            found = damage(conn)
            if found:
                raise RestoreRefused(f"{source} is damaged ({found[0]}). Choose another backup.", path=str(source))
            refuse_unusable(conn, source)
            broken = conn.execute("PRAGMA foreign_key_check").fetchone()
            if broken is not None:
                raise RestoreRefused(
                    f"{source} is not consistent: a row of {broken['table']} points to a missing row of "
                    f"{broken['parent']}. Choose another backup.",
                    path=str(source),
                )
            return _facts(conn)
    except DatabaseError as error:
        if error.code != "database_corrupt":
            raise
        raise RestoreRefused(f"{source} is damaged or no database of tgllm.", path=str(source)) from error
    except sqlite3.Error as error:
        raise RestoreRefused(f"{source} is no database of tgllm ({error}).", path=str(source)) from error


def refuse_unusable(conn: sqlite3.Connection, source: Path) -> None:
    """Check that a backup is a database of tgllm, of this version or an older one.

    Raises:
        DatabaseTooNew: it is of a newer version.
        DatabaseError: it is empty or belongs to another program.
    """
    refuse_foreign(conn, source, latest_version(shipped()))
    if not version_of(conn):
        raise RestoreRefused(f"{source} is an empty database. Choose another backup.", path=str(source))


def _facts(conn: sqlite3.Connection) -> Facts:
    bot_id, username = _account(conn)
    rows = conn.execute("SELECT path, max(size), max(sha256) FROM files GROUP BY path ORDER BY path")
    blobs = tuple(Blob(str(path), int(size), str(sha256)) for path, size, sha256 in (tuple(row) for row in rows))
    return Facts(version_of(conn), program_of(conn), bot_id, username, blobs)


def _account(conn: sqlite3.Connection) -> tuple[int | None, str | None]:
    account = kv.get(conn, "bot", "account")
    if not isinstance(account, Mapping):
        return None, None
    bot_id, username = account.get("id"), account.get("username")
    return bot_id if isinstance(bot_id, int) else None, str(username) if username else None
