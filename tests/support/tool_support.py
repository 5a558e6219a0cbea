"""Calls of tools that wait for an approval, without a model that makes them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tgllm.api import Danger, ToolSpec, ToolUse
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox, users
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.db.tables.tools.calls import NewCall, StoredCall
from tgllm.db.tables.users import SeenUser
from tgllm.services.tools.approvals import Approvals
from tgllm.services.tools.policy import Approver

__all__ = ["Asked", "add_call", "ask", "button_data", "get_call", "make_people", "tool_of"]


async def _handler(use: ToolUse) -> str:
    return use.tool


def tool_of(name: str = "push", danger: Danger = "dangerous", **changes: Any) -> ToolSpec:
    """A tool that does nothing."""
    return ToolSpec(name, "A tool.", _handler, danger=danger, **changes)


@dataclass(frozen=True)
class Asked:
    """A turn that has calls."""

    turn_id: str = "x1"
    lane: str = ":7:"
    user_id: int | None = 7
    message_id: int | None = None
    plugin_id: str = "git"
    places: list[int] = field(default_factory=list[int])


def add_call(
    conn: Connection, turn: Asked, tool: str = "push", arguments: object = None, *, now: int = 0
) -> StoredCall:
    """Store a call of a turn."""
    turn.places.append(len(turn.places))
    new = NewCall(
        turn_id=turn.turn_id,
        round=1,
        place=turn.places[-1],
        call_id=f"c{turn.places[-1]}",
        tool=tool,
        plugin_id=turn.plugin_id,
        lane=turn.lane,
        user_id=turn.user_id,
        arguments=json.dumps({} if arguments is None else arguments),
    )
    return get_call(conn, tool_calls.add(conn, new, now))


def get_call(conn: Connection, call_id: int) -> StoredCall:
    """Return a stored call."""
    call = tool_calls.get(conn, call_id)
    assert call is not None
    return call


async def ask(
    database: Database,
    approvals: Approvals,
    turn: Asked,
    *tools: str,
    approver: Approver = "asker",
    arguments: object = None,
    now: int = 0,
) -> list[int]:
    """Store calls of these tools and ask for their approval, as a turn does; return the ids of the calls."""

    def unit(conn: Connection) -> list[int]:
        calls = [add_call(conn, turn, tool, arguments, now=now) for tool in tools or ("push",)]
        outbox.add(conn, approvals.cards(conn, [(call, approver) for call in calls], turn, now), now)
        return [call.id for call in calls]

    database.expect("outbox")
    return await database.write(unit)


def make_people(conn: Connection, *user_ids: int, role: users.Role = "user") -> None:
    """Approve people with that role."""
    for user_id in user_ids:
        users.upsert_seen(conn, SeenUser(user_id, first_name=f"Person{user_id}"), 1)
        users.set_status(conn, user_id, "active", 1)
        users.set_role(conn, user_id, role, 1)


def button_data(rows: Sequence[outbox.OutboxRow]) -> list[str]:
    """Return the callback data of all buttons of outbox rows."""
    keyboards = [row.payload.get("reply_markup", {}).get("inline_keyboard", []) for row in rows]
    return [button["callback_data"] for keyboard in keyboards for line in keyboard for button in line]
