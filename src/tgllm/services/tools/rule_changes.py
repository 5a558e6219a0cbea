"""Changes of the rules for tools by admins and by shell commands, with permission checks and audit entries."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast, get_args

from tgllm.api.errors import TgllmError
from tgllm.config.sections.tools import MOST_PER_DAY, Approval, Lowest
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.tools import rules as tool_rules
from tgllm.db.tables.tools.rules import StoredRule
from tgllm.services.common.actor import Actor, note
from tgllm.services.people.decisions import administrator
from tgllm.services.tools.rules import ROLES

if TYPE_CHECKING:
    from tgllm.plugins.owned import OwnedTool

__all__ = ["FIELDS", "ToolRuleError", "change_rule", "reset_rule"]

FIELDS: Final = ("private", "groups", "per_day", "approval")
"""What a rule sets."""


class ToolRuleError(TgllmError):
    """The change is not possible, or the actor lacks the permission for it."""

    default_code = "tool_rule"


def change_rule(conn: Connection, tool: "OwnedTool", name: str, value: str, actor: Actor, now: int) -> None:
    """Set one field of the rule for a tool.

    Admins change the rules of tools that are not dangerous, and can close dangerous ones; all else about these is up to
    owners and the shell. That a dangerous tool needs no approval can only be configured.

    Args:
        conn: an open write transaction.
        tool: the tool.
        name: one of ``FIELDS``.
        value: the value as text.
        actor: who changes it.
        now: UTC, in milliseconds.

    Raises:
        ToolRuleError: the name or the value is invalid, or the actor may not set it.
        AccessError: the actor is not an admin, or no longer one.
    """
    parsed = _parse(name, value)
    admin = administrator(conn, actor, now)
    if tool.tool.danger == "dangerous":
        if name == "approval" and parsed == "never":
            raise ToolRuleError("a dangerous tool asks", code="tool_rule_never")
        closes = name in {"private", "groups"} and parsed == "nobody"
        if admin is not None and admin.role != "owner" and not closes:
            raise ToolRuleError("only owners open dangerous tools", code="tool_rule_owner")
    key = tool.tool.name, tool.plugin_id
    before = tool_rules.get(conn, *key) or StoredRule(*key)
    changes = {name: parsed, "updated_by": actor.id, "updated_at": now}
    tool_rules.put(conn, replace(before, **changes))
    details = {"limit": name, "before": getattr(before, name), "after": parsed, "plugin": tool.plugin_id}
    note(conn, actor, "tool.rule", tool.tool.name, now, details)


def reset_rule(conn: Connection, tool: "OwnedTool", actor: Actor, now: int) -> None:
    """Delete what admins have set for a tool, so that the config applies again.

    Raises:
        ToolRuleError: the tool is dangerous, and the actor is no owner.
        AccessError: the actor is not an admin, or no longer one.
    """
    admin = administrator(conn, actor, now)
    if tool.tool.danger == "dangerous" and admin is not None and admin.role != "owner":
        raise ToolRuleError("only owners open dangerous tools", code="tool_rule_owner")
    if tool_rules.clear(conn, tool.tool.name, tool.plugin_id):
        note(conn, actor, "tool.rule_reset", tool.tool.name, now, {"plugin": tool.plugin_id})


def _parse(name: str, value: str) -> Lowest | Approval | int:
    value = value.lower()
    if name in {"private", "groups"} and value in ROLES:
        return value
    if name == "approval" and value in get_args(Approval):
        return cast("Approval", value)  # narrowed by the line above
    if name == "per_day" and value.isascii() and value.isdecimal() and len(value) < 8 and int(value) <= MOST_PER_DAY:
        return int(value)
    raise ToolRuleError(f"{name} can't be {value[:20]}", code="tool_rule_value")
