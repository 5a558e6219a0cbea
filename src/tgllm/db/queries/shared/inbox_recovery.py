"""Recovery of the updates that a process has left unfinished: which run again, and which are over."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tgllm.db.engine.rows import dumps, read_all
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import CALLBACK_LIFE, UPDATE_LIFE, InboxRow

__all__ = ["Recovered", "abandoned", "recover"]


_ENDED: Final = "(holder = ? OR NOT EXISTS (SELECT 1 FROM replicas WHERE replicas.id = inbox.holder))"


@dataclass(frozen=True, slots=True)
class Recovered:
    """Unfinished updates that were found."""

    requeued: int
    """Number of updates that were running and are queued again."""
    spent: Sequence[InboxRow]
    """Updates that failed because they crash the program; their senders have not been notified."""
    expired: Sequence[InboxRow]
    """Updates that were too old to be answered."""


def recover(  # noqa: PLR0913  most are keyword-only
    conn: Connection,
    now: int,
    *,
    max_attempts: int,
    crashed: bool = True,
    waiting: bool = True,
    leaving: int | None = None,
    life: int = UPDATE_LIFE,
    life_by_kind: Mapping[str, int] | None = None,
) -> Recovered:
    """Expire, fail or requeue the updates of processes that have ended.

    On a file, call this once, before the first claim. On a server, updates that other replicas run stay as they are.

    Args:
        conn: an open write transaction.
        now: UTC in milliseconds.
        max_attempts: updates that have crashed the program this often fail.
        crashed: whether a process has crashed or was killed, and did not end in order.
        waiting: whether nothing has run meanwhile, so that queued updates may be too old as well.
        leaving: a replica that ends, and runs nothing any more.
        life: age in ms at which an update expires.
        life_by_kind: the same for control updates, by type; by default ``CALLBACK_LIFE`` for ``callback_query``. A
            button press that is no control update expires like a message, since it starts a turn.
    """
    lives = {"callback_query": CALLBACK_LIFE} if life_by_kind is None else life_by_kind

    def is_old(row: InboxRow) -> bool:
        return row.received_at <= now - (lives.get(row.kind, life) if row.control else life)

    left = abandoned(conn, leaving)
    ids = [row.update_id for row in left]
    if crashed:
        _blame(conn, ids)
    expired = [row for row in sorted([*left, *(_queued(conn) if waiting else ())], key=_id) if is_old(row)]
    for row in expired:
        inbox.finish(conn, row.update_id, "expired", now)
    spent = conn.execute(
        "UPDATE inbox SET state = 'failed', finished_at = ?, error = 'the program ended during each attempt'"
        " WHERE strikes >= ? AND (state = 'queued'"
        "     OR state = 'running' AND update_id IN (SELECT value FROM json_each(?))) RETURNING *",
        (now, max_attempts, dumps(ids)),
    )
    failed = sorted(read_all(InboxRow, spent), key=_id)
    requeued = conn.execute(
        "UPDATE inbox SET state = 'queued', started_at = NULL, holder = NULL"
        " WHERE state = 'running' AND update_id IN (SELECT value FROM json_each(?))",
        (dumps(ids),),
    )
    # Content that only their holder had is lost, and others may start what is left.
    conn.execute(
        f"UPDATE inbox SET holder = NULL WHERE state = 'queued' AND holder IS NOT NULL AND {_ENDED}",  # noqa: S608 (constants)
        (leaving,),
    )
    return Recovered(requeued.rowcount, failed, expired)


def abandoned(conn: Connection, leaving: int | None = None) -> list[InboxRow]:
    """Return the running updates, control updates too, of processes that have ended.

    Args:
        conn: an open connection.
        leaving: a replica that ends, and runs nothing any more.
    """
    query = f"SELECT * FROM inbox WHERE state = 'running' AND (holder IS NULL OR {_ENDED}) ORDER BY update_id"  # noqa: S608 (constants)
    return read_all(InboxRow, conn.execute(query, (leaving,)))


def _queued(conn: Connection) -> list[InboxRow]:
    return read_all(InboxRow, conn.execute("SELECT * FROM inbox WHERE state = 'queued'"))


def _blame(conn: Connection, running: Collection[int]) -> None:
    """Count a crash for the updates that were running, and against the one that ran alone.

    The others are innocent, or will be found alone later. A first crash, before a model was called, may have any cause,
    such as a supervisor that kills a slow start, so it does not count either. Control updates never run alone: each
    crash counts from the third one on.

    A crash for which no update alone can be blamed shows that something else ends the program, so nothing that was
    counted against waiting updates counts any more.
    """
    alone = len(running) == 1
    if not alone:
        conn.execute("UPDATE inbox SET strikes = 0 WHERE state = 'queued' AND control = 0 AND strikes > 0")
    conn.execute(
        "UPDATE inbox SET crashes = crashes + 1,"
        " strikes = strikes + CASE WHEN (control = 1 AND crashes > 1)"
        " OR (control = 0 AND ? = 1 AND (asked = 1 OR crashes > 1)) THEN 1 ELSE 0 END"
        " WHERE state = 'running' AND update_id IN (SELECT value FROM json_each(?))",
        (alone, dumps([*running])),
    )


def _id(row: InboxRow) -> int:
    return row.update_id
