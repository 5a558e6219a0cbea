"""Stops the answer of a chat for the user who asked for it or an admin, even if its turn has not started yet."""

from collections.abc import Mapping
from typing import Any

from tgllm.bot.scope import Scope
from tgllm.bot.turns.elsewhere import order_stop
from tgllm.bot.turns.ownership import is_theirs, not_theirs
from tgllm.bot.turns.unsent import drop_unsent, dropped_text, is_later
from tgllm.bot.updates.raw import content_of, turn_id_of
from tgllm.bot.updates.values import as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow

__all__ = ["end_with", "stop_answer"]


async def stop_answer(scope: Scope, *, also_next: bool = True) -> str:
    """Stop the turn of the chat, and drop what is left to send of earlier answers and of long replies.

    Args:
        scope: the update.
        also_next: whether to stop a turn that has not started, as soon as it starts: the question may have arrived
            shortly before a command, even in the same batch of updates. A button belongs to a turn that has started.

    Returns:
        What the user is told; empty if a turn is stopped, since the answer itself says so.
    """
    words = await _stop_turn(scope, also_next=also_next)
    dropped = await drop_unsent(scope)
    if dropped.count:
        return dropped_text(scope, dropped)
    if words is None and dropped.not_theirs is not None:
        return not_theirs(scope, dropped.not_theirs)
    return scope.text("turn.nothing_to_stop") if words is None else words


async def _stop_turn(scope: Scope, *, also_next: bool) -> str | None:
    """Stop the turn that runs or is about to start.

    Returns:
        The reason why it is not stopped; empty if it is; None if there is none.
    """
    running, lane, holder = scope.core.running, scope.lane.key, scope.core.database.member_id
    current = running.in_lane(lane)
    # A question that was sent after a command may have started before the command is handled.
    if current is not None and not (also_next and is_later(current.turn.id, scope.row)):
        turn = current.turn
        if not is_theirs(scope, turn.user.id, turn.author_id):
            return not_theirs(scope, turn.user.name)
        current.stop("person")
        return ""
    before = await scope.read(lambda conn: _begins_next(conn, scope)) if also_next else None
    if before is None:
        return None
    sender = _sender(before)
    if not is_theirs(scope, sender.get("id")):
        return not_theirs(scope, str(sender.get("first_name")))
    running.stop_turn(lane, turn_id_of(before.update_id))
    if holder is not None:
        # Another replica may have started it, or may do so before this is committed.
        now = scope.now
        await scope.write(lambda conn: order_stop(conn, lane, before.update_id, holder, now))
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
