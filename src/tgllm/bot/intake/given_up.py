"""Messages about questions that get no answer: all attempts failed, or the question has expired."""

from collections.abc import Mapping, Sequence
from typing import Any

from tgllm.bot.delivery.rows import PLACEHOLDER, edit_of_part
from tgllm.bot.parts import BotParts
from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.updates.raw import content_of, message_of, turn_id_of
from tgllm.bot.updates.values import as_id, as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox, outbox, users
from tgllm.db.tables.inbox import InboxRow
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.people import language_of
from tgllm.services.people.standing import may_talk

__all__ = ["expired_rows", "spent_rows"]


def spent_rows(conn: Connection, row: InboxRow, parts: BotParts, now: int) -> Sequence[NewOutbox]:
    """Return the rows that tell the sender that there will be no answer; none if the update asked for none.

    In a group the placeholder of the answer is edited.

    Args:
        conn: in the transaction that abandons the update.
        row: the update.
        parts: of the bot.
        now: UTC in milliseconds.
    """
    content = content_of(row)
    sender_id = _sender_id(content)
    if sender_id is None or not _is_waited_for(conn, row, content, sender_id, parts, now):
        return ()
    text = parts.core.texts("turn.attempts_spent", _language(conn, sender_id))
    return [_ending(row, text), *_without_reactions(conn, row, parts)]


def expired_rows(conn: Connection, row: InboxRow, parts: BotParts, now: int) -> Sequence[NewOutbox]:
    """Return the rows that close an expired question in the chat.

    They edit the placeholder of its answer in a group, and remove the reaction of a waiting message. A placeholder that
    has not been sent is dropped.

    Args:
        conn: in the transaction that abandons the update.
        row: the update.
        parts: of the bot.
        now: UTC in milliseconds.
    """
    content = content_of(row)
    sender_id = _sender_id(content)
    begun = outbox.find(conn, turn_id_of(row.update_id), 0)
    rows: list[NewOutbox] = []
    if begun is not None and PLACEHOLDER in begun.payload:
        outbox.drop(conn, begun.id, "its question is too old")
        if begun.message_id is not None:
            rows.append(_ending(row, parts.core.texts("turn.expired", _language(conn, sender_id))))
    if sender_id is not None and _is_waited_for(conn, row, content, sender_id, parts, now):
        rows += _without_reactions(conn, row, parts)
    return rows


def _ending(row: InboxRow, text: str) -> NewOutbox:
    """Return the row that shows a text in place of the placeholder, or as a new message if there is none."""
    return edit_of_part(
        Lane.parse(row.lane),
        EntityText(text),
        turn_id=turn_id_of(row.update_id),
        part=1,
        edited_part=0,
        reply_to=as_id(content_of(row).get("message_id")),
    )


def _without_reactions(conn: Connection, row: InboxRow, parts: BotParts) -> Sequence[NewOutbox]:
    return parts.acknowledgements.taken_away(row, _parts_of(conn, row))


def _language(conn: Connection, sender_id: int | None) -> str:
    person = None if sender_id is None else users.get(conn, sender_id)
    return "" if person is None else language_of(conn, person)


def _sender_id(content: Mapping[str, Any]) -> int | None:
    return as_id(as_mapping(content.get("from")).get("id"))


def _parts_of(conn: Connection, row: InboxRow) -> Sequence[int]:
    """Return the Telegram ids of the messages that are merged into the update."""
    ids = (as_id(message_of(each.payload).get("message_id")) for each in inbox.followers(conn, row.update_id))
    return [each for each in ids if each is not None]


def _is_waited_for(
    conn: Connection, row: InboxRow, content: Mapping[str, Any], sender_id: int, parts: BotParts, now: int
) -> bool:
    """Return whether the update is a request to the bot of a user who may use it."""
    lane = Lane.parse(row.lane)
    if row.kind in {"message", "edited_message"}:
        return not row.control and parts.relevance.is_for_the_bot(conn, lane, content, now)
    is_press = row.kind == "callback_query" and not row.control
    return is_press and may_talk(conn, sender_id, lane.access_id, now)
