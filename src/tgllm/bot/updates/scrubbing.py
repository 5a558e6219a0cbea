"""Empties stored updates of unapproved users that no handler has finished."""

import json

from tgllm.bot.updates.values import as_id, as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.scrub import scrub
from tgllm.db.tables.inbox import InboxRow
from tgllm.services.common.lane import Lane
from tgllm.services.people.standing import may_talk

__all__ = ["empty_strangers"]


def empty_strangers(conn: Connection, row: InboxRow, now: int) -> None:
    """Empty an update without a sender, or whose sender may not use the bot in its chat; only its id stays.

    Args:
        conn: in the transaction that finishes the update, before that.
        row: the update.
        now: UTC in milliseconds.
    """
    # The raw payload: any part of the content may be what made the handler fail.
    content = as_mapping(as_mapping(json.loads(row.payload)).get(row.kind))
    sender_id = as_id(as_mapping(content.get("from")).get("id"))
    if sender_id is None or not may_talk(conn, sender_id, Lane.parse(row.lane).access_id, now):
        scrub(conn, row.update_id)
