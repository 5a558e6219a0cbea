"""Approvals of further calls: made on a card, shown and taken back by the person."""

from typing import Final, Literal

from tgllm.db.engine.unit import Connection
from tgllm.db.tables.tools import grants as tool_grants
from tgllm.db.tables.tools.calls import StoredCall
from tgllm.db.tables.tools.grants import Grant
from tgllm.services.common.actor import Actor, note

__all__ = ["CHAT_TIME", "Extent", "grant", "take_back"]

CHAT_TIME: Final = 60 * 60 * 1000
"""Duration of an approval for a chat, in milliseconds."""

Extent = Literal["chat", "always"]
"""In this chat or topic for ``CHAT_TIME``; everywhere, until it is taken back."""


def grant(conn: Connection, call: StoredCall, extent: Extent, actor: Actor, now: int) -> None:
    """Approve further calls of the tool of a call, by the same person, and record it in the audit trail.

    Args:
        conn: an open write transaction.
        call: a call of a person, of a tool that exists.
        extent: where and for how long.
        actor: who approves.
        now: UTC, in milliseconds.
    """
    lane, until = (call.lane, now + CHAT_TIME) if extent == "chat" else ("", None)
    user_id = call.user_id or 0
    tool_grants.put(conn, Grant(call.tool, call.plugin_id or "", user_id, lane, until, actor.id or 0, now))
    note(conn, actor, "tool.grant", call.tool, now, {"user": user_id, "extent": extent, "plugin": call.plugin_id})


def take_back(conn: Connection, given: Grant, actor: Actor, now: int) -> bool:
    """Take an approval back; return False if it is gone already."""
    if not tool_grants.delete(conn, given.tool, given.plugin_id, given.user_id, given.lane):
        return False
    details = {"user": given.user_id, "plugin": given.plugin_id}
    note(conn, actor, "tool.grant_removed", given.tool, now, details)
    return True
