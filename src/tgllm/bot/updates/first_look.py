"""What is stored about an update when it starts.

It is read in the transaction that claims the update, so that its handlers need no query for it: a query of their own
is a way to the database's thread and back, which takes many times longer than its statements.
"""

import json
from dataclasses import dataclass

from tgllm.bot.updates.raw import sender_of
from tgllm.bot.updates.values import as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow
from tgllm.services.common.lane import Lane
from tgllm.services.people.standing import AccessRows, access_rows

__all__ = ["FirstLook", "look_at"]


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What was stored when the update was claimed. The defaults mean that it is not known."""

    access: AccessRows | None = None
    """About the access of its sender; None if the sender is unknown."""
    is_alone: bool = False
    """Whether no other update of its lane waited, and none was merged into it at an earlier attempt."""


def look_at(conn: Connection, row: InboxRow) -> FirstLook:
    """Read what handlers need to know of a claimed update."""
    sender_id = sender_of(row.kind, as_mapping(as_mapping(json.loads(row.payload)).get(row.kind)))
    access = None if sender_id is None else access_rows(conn, sender_id, Lane.parse(row.lane).access_id)
    return FirstLook(access, not inbox.has_company(conn, row))
