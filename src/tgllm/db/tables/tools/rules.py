"""Table ``tool_rules``: who may use which tools, as admins have set it."""

from dataclasses import dataclass
from typing import Literal

from tgllm.api.people import Role
from tgllm.db.engine.rows import read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = ["Approval", "Lowest", "StoredRule", "clear", "get", "list_all", "put"]

Lowest = Role | Literal["nobody"]
"""The lowest role that may use a tool; ``nobody``: it is closed for all, owners included."""
Approval = Literal["never", "asker", "admins"]
"""Who approves each call by a card: no one, the person who asks, or the admins."""


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A stored rule; the fields are the columns of the table ``tool_rules``. None: as configured."""

    tool: str
    plugin_id: str
    private: Lowest | None = None
    groups: Lowest | None = None
    per_day: int | None = None
    approval: Approval | None = None
    updated_by: int | None = None
    updated_at: int = 0


def get(conn: Connection, tool: str, plugin_id: str) -> StoredRule | None:
    """Return the rule for a tool of a plugin; None if there is none."""
    cursor = conn.execute("SELECT * FROM tool_rules WHERE (tool, plugin_id) = (?, ?)", (tool, plugin_id))
    return read_one(StoredRule, cursor)


def list_all(conn: Connection) -> list[StoredRule]:
    """Return all rules, by tool."""
    return read_all(StoredRule, conn.execute("SELECT * FROM tool_rules ORDER BY tool, plugin_id"))


def put(conn: Connection, rule: StoredRule) -> None:
    """Set the rule for a tool."""
    conn.execute(
        "INSERT INTO tool_rules (tool, plugin_id, private, groups, per_day, approval, updated_by,"
        " updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tool, plugin_id) DO UPDATE SET"
        " private = excluded.private, groups = excluded.groups, per_day = excluded.per_day,"
        " approval = excluded.approval, updated_by = excluded.updated_by, updated_at = excluded.updated_at",
        (
            rule.tool,
            rule.plugin_id,
            rule.private,
            rule.groups,
            rule.per_day,
            rule.approval,
            rule.updated_by,
            rule.updated_at,
        ),
    )


def clear(conn: Connection, tool: str, plugin_id: str) -> bool:
    """Delete the rule for a tool, so that the configured one applies again; return False if there is none."""
    return conn.execute("DELETE FROM tool_rules WHERE (tool, plugin_id) = (?, ?)", (tool, plugin_id)).rowcount == 1
