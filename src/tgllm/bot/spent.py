"""What people are told of a question that was begun as often as allowed and never came to its end."""

from collections.abc import Mapping, Sequence
from typing import Any

from tgllm.bot.messages import edit_of_part
from tgllm.bot.parts import BotParts
from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.turn_ids import turn_id_of
from tgllm.bot.updates import as_mapping, content_of, message_of
from tgllm.db import inbox, users
from tgllm.db.inbox import InboxRow
from tgllm.db.outbox import NewOutbox
from tgllm.db.unit import Connection
from tgllm.services.access_news import language_of
from tgllm.services.lane import Lane
from tgllm.services.standing import may_talk

__all__ = ["spent_rows"]


def spent_rows(conn: Connection, row: InboxRow, parts: BotParts, now: int) -> Sequence[NewOutbox]:
    """The rows that tell who waits for an answer that there will be none; none where nobody does.

    In a group the message in which the answer was begun says so from then on.

    Args:
        conn: in the transaction that gives the update up.
        row: the update.
        parts: of the bot.
        now: UTC in milliseconds.
    """
    content = content_of(row)
    sender_id = as_mapping(content.get("from")).get("id")
    if not isinstance(sender_id, int) or not _is_waited_for(conn, row, content, sender_id, parts, now):
        return ()
    person = users.get(conn, sender_id)
    language = "" if person is None else language_of(conn, person)
    message_id = content.get("message_id")
    notice = edit_of_part(
        Lane.parse(row.lane),
        EntityText(parts.core.texts("turn.attempts_spent", language)),
        turn_id=turn_id_of(row.update_id),
        part=1,
        edited_part=0,
        reply_to=message_id if isinstance(message_id, int) else None,
    )
    return [notice, *parts.acknowledgements.taken_away(row, _parts_of(conn, row))]


def _parts_of(conn: Connection, row: InboxRow) -> Sequence[int]:
    """Telegram's ids of the messages that are merged into the update."""
    ids = (message_of(each.payload).get("message_id") for each in inbox.followers(conn, row.update_id))
    return [each for each in ids if isinstance(each, int)]


def _is_waited_for(
    conn: Connection, row: InboxRow, content: Mapping[str, Any], sender_id: int, parts: BotParts, now: int
) -> bool:
    """Whether its sender may talk to the bot and has done so."""
    lane = Lane.parse(row.lane)
    if row.kind in {"message", "edited_message"}:
        return not row.control and parts.acknowledgements.is_for_the_bot(conn, lane, content, now)
    is_press = row.kind == "callback_query" and not row.control
    return is_press and may_talk(conn, sender_id, lane.chat_id, now)
