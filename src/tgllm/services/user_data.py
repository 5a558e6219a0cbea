"""Forgets a person, at their own wish: the rows, their files on disk, and what the database's log still holds."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tgllm.db import audit
from tgllm.db.database import Database
from tgllm.db.erasure import Erased, erase, is_busy
from tgllm.db.unit import Connection

__all__ = ["clean_up", "forget"]


def forget(conn: Connection, user_id: int, update_id: int, now: int) -> Erased | None:
    """Erase what is stored of a person, and note that it was done; part of a larger transaction.

    Args:
        conn: an open write transaction.
        user_id: Telegram's user id.
        update_id: the update that asks for it.
        now: UTC, in milliseconds.

    Returns:
        What was erased; None, and nothing is, while an answer is being written in the person's private chat.
    """
    if is_busy(conn, user_id, update_id):
        return None
    erased = erase(conn, user_id, update_id)
    details = {"conversations": erased.conversations, "messages": erased.messages, "files": erased.files}
    entry = audit.NewEntry(
        actor_id=user_id, source="telegram", action="user.forget", target=str(user_id), details=details
    )
    audit.add(conn, entry, now)
    return erased


async def clean_up(database: Database, data_dir: Path, erased: Erased) -> None:
    """Remove what is left of erased rows outside of the tables, after the commit.

    Raises:
        DatabaseError: the database can't be used.
        OSError: a file can't be removed.
    """
    await database.checkpoint()
    await asyncio.to_thread(_remove, data_dir, erased.paths)


def _remove(data_dir: Path, paths: Sequence[str]) -> None:
    for path in paths:
        (data_dir / path).unlink(missing_ok=True)
