"""Forgets a person, as they or the operator wish: rows, files on disk, and what the database's log still holds."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tgllm.api.clock import Clock
from tgllm.db.checkpoint import empty_log
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.erasure import Erased, erase, is_busy
from tgllm.services.common.actor import Actor, note

__all__ = ["clean_up", "forget"]

NO_UPDATE = 0
"""No update has this id (Bot API: Update: they are positive)."""


def forget(
    conn: Connection, user_id: int, actor: Actor, now: int, *, update_id: int = NO_UPDATE, bot_runs: bool = True
) -> Erased | None:
    """Erase what is stored of a person, and note that it was done; part of a larger transaction.

    Args:
        conn: an open write transaction.
        user_id: Telegram's user id.
        actor: who asks for it.
        now: UTC, in milliseconds.
        update_id: the update that asks for it, if one does.
        bot_runs: whether a bot may be at work; if none is, what looks like it was left behind by a crash.

    Returns:
        What was erased; None, and nothing is, while an answer is being written in the person's private chat.
    """
    if bot_runs and is_busy(conn, user_id, update_id):
        return None
    erased = erase(conn, user_id, update_id)
    details: dict[str, str | int | None] = {
        "conversations": erased.conversations,
        "messages": erased.messages,
        "files": erased.files,
    }
    note(conn, actor, "user.forget", str(user_id), now, details)
    return erased


async def clean_up(database: Database, clock: Clock, data_dir: Path, erased: Erased) -> None:
    """Remove what is left of erased rows outside of the tables, after the commit.

    Raises:
        DatabaseError: the database can't be used.
        OSError: a file can't be removed.
    """
    try:
        await asyncio.to_thread(_remove, data_dir, erased.paths)
    finally:
        await empty_log(database, clock)


def _remove(data_dir: Path, paths: Sequence[str]) -> None:
    for path in paths:
        (data_dir / path).unlink(missing_ok=True)
