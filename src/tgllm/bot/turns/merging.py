"""Finds further updates that belong to the running one, and merges them into it in the inbox.

Merged updates are found again when the update is retried after a crash.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from tgllm.bot.scope import Scope
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow

__all__ = ["merge_rows", "merged_rows", "wait_for"]

T = TypeVar("T")

LOOK_SECONDS = 0.05
"""Interval at which the inbox is searched."""
MOST_LOOKED_AT = 50
"""Most waiting updates of a lane that are searched."""


async def merged_rows(scope: Scope) -> list[InboxRow]:
    """Return the updates that an earlier attempt has merged."""
    return await scope.read(lambda conn: inbox.followers(conn, scope.row.update_id))


async def merge_rows(scope: Scope, rows: Sequence[InboxRow]) -> list[InboxRow]:
    """Merge waiting updates into this one; return those that still waited.

    A possible answer to the prompt for the admin password is not merged.
    """
    now = scope.now
    asked = scope.core.password.questions.of(scope.lane.chat_id)
    ids = [row.update_id for row in rows if asked is None or row.update_id < asked.update_id]
    if not ids:
        return []

    def unit(conn: Connection) -> list[InboxRow]:
        merged = inbox.merge(conn, scope.row.update_id, ids, now)
        # Read again in the transaction: an edit may have replaced a row since the search.
        return [row for row in inbox.followers(conn, scope.row.update_id) if row.update_id in merged]

    return await scope.write(unit)


async def wait_for(scope: Scope, look: Callable[[Sequence[InboxRow]], T | None], seconds: float) -> T | None:
    """Search the waiting updates of the lane until something is found; return None after the timeout.

    Args:
        scope: the update.
        look: called with the waiting updates, oldest first; returns what it finds, or None.
        seconds: the timeout.
    """
    clock, lane = scope.clock, scope.lane.key
    deadline = clock.monotonic() + seconds
    while (found := look(await scope.read(lambda conn: inbox.queued(conn, lane, MOST_LOOKED_AT)))) is None:
        if clock.monotonic() >= deadline:
            return None
        await clock.sleep(LOOK_SECONDS)
    return found
