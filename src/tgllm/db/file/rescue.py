"""Copy of a database whose file was deleted or replaced while it is open, and the sentences about such losses."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tgllm.db.engine.errors import DatabaseError, DatabaseLost
from tgllm.db.file.backup import copy_to
from tgllm.db.file.known import put_back
from tgllm.db.file.presence import Loss

__all__ = ["RESCUED", "loss_error", "rescue"]

RESCUED: Final[frozenset[Loss]] = frozenset({"database", "replaced", "log"})
"""Losses after which the open files still have the content, and the folder is there to take a copy."""

_WORDS: Final[Mapping[Loss, str]] = {
    "folder": (
        "The data folder {folder} was deleted, moved or unmounted while the bot was running, so the bot has stopped. "
        "Put it back, then start the bot."
    ),
    "database": "The database {path} was deleted or moved while the bot was running, so the bot has stopped.",
    "replaced": (
        "The database {path} was replaced by another file while the bot was running, so the bot has stopped. "
        "At the next start it uses the new file. Stop the bot before you restore a backup."
    ),
    "overwritten": (
        "The database {path} was overwritten while the bot was running, so the bot has stopped. Its content may be a "
        "mixture: restore the backup once more, with the bot stopped: tgllm db restore BACKUP . Then start the bot."
    ),
    "log": (
        "The file {path}-wal or {path}-shm was deleted or replaced while the bot was running, so the bot has stopped. "
        "They belong to the database; leave them alone while the bot runs. Start the bot again."
    ),
    "lock": (
        "The lock file in {folder} was deleted or replaced while the bot was running, so the bot has stopped: a second "
        "bot could have started on the same data. Start the bot again."
    ),
}


def loss_error(loss: Loss, path: Path) -> DatabaseLost:
    """Return the error that ends the bot after a loss."""
    return DatabaseLost(
        _WORDS[loss].format(path=path, folder=path.parent), code=f"database_lost_{loss}", loss=loss, path=str(path)
    )


def rescue(conn: sqlite3.Connection, path: Path, loss: Loss, now: int) -> tuple[DatabaseLost, bool]:
    """Copy the content of an open database beside its path.

    Args:
        conn: an open connection, outside of a transaction.
        path: where the database was.
        loss: one of ``RESCUED``.
        now: UTC in milliseconds, for the name of the copy.

    Returns:
        The error that says where the copy is, and whether there is one.
    """
    words = str(loss_error(loss, path))
    target = path.with_name(f"{path.name}.rescued-{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%SZ}")
    is_copied = False
    try:
        copy_to(conn, target)
    except DatabaseError as error:
        words = f"{words} Its last state could not be copied: {error}"
    else:
        is_copied = True
        words = f"{words} Its last state is in {target}; to continue with it: {put_back(target, path)}"
    return DatabaseLost(words, code=f"database_lost_{loss}", loss=loss, path=str(path)), is_copied
