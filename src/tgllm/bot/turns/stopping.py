"""Stops the answer of a chat for the user who asked for it or an admin, even if its turn has not started yet."""

from collections.abc import Mapping
from typing import Any

from tgllm.bot.scope import Scope
from tgllm.bot.turns.ownership import is_theirs, not_theirs
from tgllm.bot.updates.raw import as_mapping, content_of, turn_id_of
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow

__all__ = ["end_with", "stop_answer", "stop_running"]


def stop_running(scope: Scope) -> str:
    """Stop the running turn of the chat.

    Returns:
        The reason for the user why it is not stopped; empty if it is, since the answer itself says so.
    """
    running = scope.core.running.in_lane(scope.lane.key)
    if running is None:
        return scope.text("turn.nothing_to_stop")
    turn = running.turn
    if not is_theirs(scope, turn.user.id, turn.author_id):
        return not_theirs(scope, turn.user.name)
    running.stop("person")
    return ""


async def stop_answer(scope: Scope) -> str:
    """Stop the turn of the chat, like ``stop_running``.

    The question may have arrived shortly before, even in the same batch of updates, so that its turn has not started:
    then it is stopped as soon as it starts.
    """
    running, lane = scope.core.running, scope.lane.key
    if running.in_lane(lane) is not None:
        return stop_running(scope)
    before = await scope.read(lambda conn: _begins_next(conn, scope))
    if before is None:
        return scope.text("turn.nothing_to_stop")
    sender = _sender(before)
    if not is_theirs(scope, sender.get("id")):
        return not_theirs(scope, str(sender.get("first_name")))
    running.stop_turn(lane, turn_id_of(before.update_id))
    return ""


async def end_with(scope: Scope, words: str) -> None:
    """End the update with a reply, or without one if ``words`` is empty."""
    await (scope.reply(words) if words else scope.end())


def _begins_next(conn: Connection, scope: Scope) -> InboxRow | None:
    """Return the earlier update that runs in the lane or is next there; None if there is none."""
    rows = inbox.running_in(conn, scope.lane.key) or inbox.queued(conn, scope.lane.key, 1)
    return next((row for row in rows if row.update_id < scope.row.update_id), None)


def _sender(row: InboxRow) -> Mapping[str, Any]:
    return as_mapping(content_of(row).get("from"))
