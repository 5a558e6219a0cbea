"""Drops what is left to send of answers and long replies, for the person who asked or an admin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tgllm.bot.delivery.fallbacks import FOLLOWING, formatted
from tgllm.bot.delivery.files import has_file, remove_document
from tgllm.bot.delivery.rows import EDIT_OF_PART, PLACEHOLDER
from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.scope import Scope
from tgllm.bot.turns.elsewhere import running_elsewhere
from tgllm.bot.turns.ownership import is_theirs, name_of
from tgllm.bot.updates.raw import content_of
from tgllm.bot.updates.values import as_id, as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.unsent import replace_unsent, stop_after_this, unsent_in
from tgllm.db.tables import inbox, messages, outbox
from tgllm.db.tables.inbox import InboxRow
from tgllm.db.tables.outbox import OutboxRow
from tgllm.services.common.turn_ids import turn_id_of, update_id_of

__all__ = ["Dropped", "drop_unsent", "dropped_text", "is_later"]

_WHY = "stopped by a person"


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was dropped."""

    count: int = 0
    """Number of messages and files that are not sent."""
    in_history: bool = False
    """Whether any of them is part of an answer, which the conversation keeps."""
    not_theirs: str | None = None
    """Name of a user whose answer waits and was not dropped, since it belongs to them; None if there is none."""
    documents: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    """Payloads whose files are not needed any more."""


async def drop_unsent(scope: Scope) -> Dropped:
    """Drop what waits in the lane of an update, and remove its files.

    The placeholder of a running turn stays, and the answers to what came after the update.
    """
    running, holder = scope.core.running.in_lane(scope.lane.key), scope.core.database.member_id

    def unit(conn: Connection) -> Dropped:
        elsewhere = running_elsewhere(conn, scope.lane.key, holder)
        current = None if elsewhere is None else turn_id_of(elsewhere.update_id)
        return _drop(conn, scope, current if running is None else running.turn.id)

    dropped = await scope.write(unit)
    for payload in dropped.documents:
        await remove_document(payload, scope.core.storage)
    return dropped


def is_later(turn_id: str | None, row: InboxRow) -> bool:
    """Return whether a turn is of an update that came after another one."""
    update_id = update_id_of(turn_id)
    return update_id is not None and update_id > row.update_id


def dropped_text(scope: Scope, dropped: Dropped) -> str:
    """Return the text on what was dropped."""
    text = scope.text("turn.rest_dropped", count=dropped.count)
    return f"{text} {scope.text('turn.rest_kept')}" if dropped.in_history else text


def _drop(conn: Connection, scope: Scope, current: str | None) -> Dropped:
    waiting, sending = unsent_in(conn, scope.lane.key)
    kept = {row.turn_id for row in [*waiting, *sending] if row.turn_id == current or is_later(row.turn_id, scope.row)}
    waiting = [row for row in waiting if row.turn_id not in kept]
    sending = [row for row in sending if row.turn_id not in kept and FOLLOWING in row.payload]
    foreign: str | None = None
    count, in_history = 0, False
    documents: list[Mapping[str, Any]] = []
    for turn_id in dict.fromkeys(row.turn_id for row in [*sending, *waiting]):
        askers, is_answer = _asked_by(conn, turn_id or "")
        if not is_theirs(scope, *askers):
            foreign = name_of(conn, askers[0])
            continue
        in_history |= is_answer
        for row in sending:
            if row.turn_id == turn_id:
                stop_after_this(conn, row.id)
                count += len(row.payload[FOLLOWING])
        mine = [row for row in waiting if row.turn_id == turn_id]
        count += _drop_rows(conn, scope, mine)
        documents += [row.payload for row in mine if has_file(row.payload)]
    return Dropped(count, in_history, foreign, documents)


def _drop_rows(conn: Connection, scope: Scope, rows: Sequence[OutboxRow]) -> int:
    """Drop the waiting rows of a turn; return the number of messages."""
    placeholder_waits = any(PLACEHOLDER in row.payload for row in rows)
    count = 0
    for row in rows:
        if EDIT_OF_PART in row.payload and not placeholder_waits:
            # The placeholder is in the chat, with its Stop button: it has to change.
            kept = {key: row.payload[key] for key in row.payload.keys() & _OF_EDITS}
            replace_unsent(conn, row.id, kept | formatted(EntityText(scope.text("turn.stopped"))))
        else:
            outbox.drop(conn, row.id, _WHY)
        count += 0 if PLACEHOLDER in row.payload else 1 + len(row.payload.get(FOLLOWING) or ())
    return count


_OF_EDITS = frozenset({"chat_id", "business_connection_id", "message_thread_id", "reply_parameters", EDIT_OF_PART})
"""Keys of an edit's payload that say where it goes."""


def _asked_by(conn: Connection, turn_id: str) -> tuple[Sequence[int | None], bool]:
    """Return the ids of the users who asked for a turn's rows, and whether they are an answer of a model."""
    said = messages.of_turn(conn, turn_id)
    if said:
        return [message.user_id for message in said], True
    update_id = update_id_of(turn_id)
    row = None if update_id is None else inbox.get(conn, update_id)
    sender = None if row is None else as_id(as_mapping(content_of(row).get("from")).get("id"))
    return [sender], False
