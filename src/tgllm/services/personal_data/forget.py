"""Deletion of a person's data: rows, files, and their traces in the write-ahead log."""

from tgllm.api.clock import Clock
from tgllm.db.checkpoint import drop_deleted
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.erasure import Erased, erase, is_busy
from tgllm.db.tables.plugins import jobs
from tgllm.services.common.actor import Actor, note
from tgllm.services.files.passage_store import PassageStore
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.search.index import SearchIndex

__all__ = ["clean_up", "forget"]

NO_UPDATE = 0
"""Update id for requests without an update; ids of updates are positive (Bot API: Update)."""


def forget(
    conn: Connection, user_id: int, actor: Actor, now: int, *, update_id: int = NO_UPDATE, bot_runs: bool = True
) -> Erased | None:
    """Erase the data of a person and record it in the audit trail, within a larger transaction.

    Args:
        conn: an open write transaction.
        user_id: Telegram user id.
        actor: author of the request.
        now: UTC, in milliseconds.
        update_id: the update of the request, if any.
        bot_runs: whether a bot may be running; if not, a turn that looks active is left over from a crash.

    Returns:
        What was erased; None, with nothing erased, while a turn runs in the person's private chat.
    """
    if bot_runs and is_busy(conn, user_id, update_id):
        return None
    erased = erase(conn, user_id, update_id)
    # The plugins' own data: a bot that runs, or the next one, calls tgllm_forget.
    jobs.notify(conn, "forget", user_id, None, now)
    details: dict[str, str | int | None] = {
        "conversations": erased.conversations,
        "messages": erased.messages,
        "files": erased.files,
    }
    note(conn, actor, "user.forget", str(user_id), now, details)
    return erased


async def clean_up(database: Database, clock: Clock, storage: FileStorage, erased: Erased) -> None:
    """Remove the files of erased rows, and what is left of these rows; call this after the commit.

    Raises:
        DatabaseError: the database can't be used.
        OSError: a file can't be removed.
    """
    try:
        await storage.remove(erased.paths)
        await PassageStore(database).purge()
        await SearchIndex(database, clock).purge()
    finally:
        await drop_deleted(database, clock)
