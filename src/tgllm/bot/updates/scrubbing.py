"""Empties stored updates of people who may not use the bot, and which no handler has brought to their end."""

import json

from tgllm.bot.updates.raw import as_id, as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.scrub import scrub
from tgllm.db.tables.inbox import InboxRow
from tgllm.services.common.lane import Lane
from tgllm.services.people.standing import may_talk

__all__ = ["empty_strangers"]


def empty_strangers(conn: Connection, row: InboxRow, now: int) -> None:
    """Leave nothing but its id of an update of somebody who may not use the bot where it was sent, or of nobody.

    Args:
        conn: in the transaction that ends the update, before that.
        row: the update.
        now: UTC in milliseconds.
    """
    # As it came: what makes it fail may be in any part of it.
    content = as_mapping(as_mapping(json.loads(row.payload)).get(row.kind))
    sender_id = as_id(as_mapping(content.get("from")).get("id"))
    if sender_id is None or not may_talk(conn, sender_id, Lane.parse(row.lane).chat_id, now):
        scrub(conn, row.update_id)
