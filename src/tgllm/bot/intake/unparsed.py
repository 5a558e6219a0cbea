"""Answer to a person whose message aiogram can't parse: without it they would wait for an answer."""

from collections.abc import Sequence

from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.parts import BotParts
from tgllm.bot.updates.raw import content_of
from tgllm.bot.updates.values import as_id, as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.db.tables.inbox import InboxRow
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.people import language_of

__all__ = ["answer_to_unparsed"]


def answer_to_unparsed(conn: Connection, row: InboxRow, parts: BotParts) -> Sequence[NewOutbox]:
    """Return the answer to a message that is quarantined; empty for an edit or a press.

    Args:
        conn: in the transaction that quarantines the update.
        row: an update that is for the bot, from somebody who may use it.
        parts: of the bot.
    """
    if row.kind != "message":
        return ()
    content, lane = content_of(row), Lane.parse(row.lane)
    sender_id = as_id(as_mapping(content.get("from")).get("id"))
    person = None if sender_id is None else users.get(conn, sender_id)
    language = "" if person is None else language_of(conn, person)
    reply_to = as_id(content.get("message_id")) if lane.chat_id < 0 else None
    rows = message_rows(lane, parts.core.texts("turn.unreadable", language), reply_to=reply_to)
    return [*rows, *parts.acknowledgements.taken_away(row)]
