"""Further updates that belong to the one that is being worked on: looked for, and merged into it in the inbox.

Once merged, they are found again when the update is begun anew after a crash.
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
"""How often is looked for more."""
MOST_LOOKED_AT = 50
"""Updates that wait in a lane and are looked at."""


async def merged_rows(scope: Scope) -> list[InboxRow]:
    """What an earlier attempt has merged."""
    return await scope.read(lambda conn: inbox.followers(conn, scope.row.update_id))


async def merge_rows(scope: Scope, rows: Sequence[InboxRow]) -> list[InboxRow]:
    """Make waiting updates part of this one; returns those that still waited.

    What may be the answer to a question for the admin password stays by itself.
    """
    now = scope.now
    asked = scope.core.password.questions.of(scope.lane.chat_id)
    ids = [row.update_id for row in rows if asked is None or row.update_id < asked.update_id]

    def unit(conn: Connection) -> list[InboxRow]:
        merged = inbox.merge(conn, scope.row.update_id, ids, now)
        # Read here: an edit may have taken the place of what was looked at before.
        return [row for row in inbox.followers(conn, scope.row.update_id) if row.update_id in merged]

    return await scope.write(unit)


async def wait_for(scope: Scope, look: Callable[[Sequence[InboxRow]], T | None], seconds: float) -> T | None:
    """Look at what waits in the lane until there is something; None if there is nothing in time.

    Args:
        scope: the update.
        look: is shown what waits, oldest first, and returns what it finds.
        seconds: how long is waited.
    """
    clock, lane = scope.clock, scope.lane.key
    deadline = clock.monotonic() + seconds
    while (found := look(await scope.read(lambda conn: inbox.queued(conn, lane, MOST_LOOKED_AT)))) is None:
        if clock.monotonic() >= deadline:
            return None
        await clock.sleep(LOOK_SECONDS)
    return found
