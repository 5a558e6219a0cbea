"""Stops the answer of a chat at somebody's wish, also one that has not quite begun."""

from tgllm.bot.scope import UpdateScope
from tgllm.bot.turn_ids import turn_id_of
from tgllm.db import inbox
from tgllm.db.unit import Connection

__all__ = ["stop_answer"]


async def stop_answer(scope: UpdateScope) -> bool:
    """Stop the turn of the chat; False if there is none.

    A question that came just before the wish, in one batch of updates even, may not have become a turn yet: it is
    stopped as soon as it does.
    """
    running, lane = scope.parts.core.running, scope.lane.key
    if running.stop(lane):
        return True
    before = await scope.parts.core.database.read(lambda conn: _begins_next(conn, scope))
    if before is None:
        return False
    running.stop_turn(lane, turn_id_of(before))
    return True


def _begins_next(conn: Connection, scope: UpdateScope) -> int | None:
    """The update before this one that its lane is at, or that comes next there."""
    rows = inbox.running_in(conn, scope.lane.key) or inbox.queued(conn, scope.lane.key, 1)
    return next((row.update_id for row in rows if row.update_id < scope.row.update_id), None)
