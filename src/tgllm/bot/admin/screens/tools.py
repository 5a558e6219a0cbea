"""Tools: who may use which, how often, and whose approval a call needs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from tgllm.bot.admin.paging import split_page, turn_pages
from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import AdminCall, AdminCommand, Result
from tgllm.bot.admin.words import home_button, joined
from tgllm.bot.ui.keyboards import Button, page_of
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.tools import rules as tool_rules
from tgllm.plugins.owned import OwnedTool
from tgllm.services.common.text import one_line, unlinked
from tgllm.services.tools.rule_changes import FIELDS, ToolRuleError, change_rule, reset_rule
from tgllm.services.tools.rules import ToolRule

__all__ = ["tools_rows"]

NAME: Final = "tools"
MOST_ABOUT: Final = 300
"""Most UTF-16 units of the description of a tool."""
_RESET: Final = "default"
_KEY: Final = "~"
"""Beginning of a tool in the data of a button, where its name may not fit."""
_LOWEST: Final = ("owner", "admin", "user", "guest", "nobody")
_LIMITS: Final = ("0", "5", "20", "100")


def tools_rows() -> tuple[AdminCommand, ...]:
    """Return the row for the admin table."""
    usage = f"[<tool> [{'|'.join(FIELDS)} <value>|{_RESET}]]"
    return (AdminCommand(NAME, _tools, usage=usage, menu=True, dangerous=_is_change),)


async def _is_change(call: AdminCall) -> bool:
    """Return whether the call changes a rule."""
    return len(call.argument.split()) > 1 and not split_page(call.argument)[1]


async def _tools(call: AdminCall) -> Result:
    """Show all tools or one, after a change if one is given."""
    line, number = split_page(call.argument)
    wanted, verb, value = (*line.split(), "", "", "")[:3]
    if not wanted:
        return await call.read(lambda conn: _list(call, conn, number))
    tool = next((tool for tool in call.core.host.tools if wanted in {tool.tool.name, _key(tool)}), None)
    if tool is None:
        raise ToolRuleError("no such tool", code="tool_rule_unknown", tool=one_line(wanted, 64))

    def work(conn: Connection) -> Screen:
        if not verb:
            return _one(call, conn, tool)
        if verb == _RESET:
            reset_rule(conn, tool, call.actor, call.now)
        else:
            change_rule(conn, tool, verb, value, call.actor, call.now)
        return replace(_one(call, conn, tool), toast=call.text("admin.tools.done"))

    return work


def _list(call: AdminCall, conn: Connection, number: int) -> Screen:
    page = page_of(call.core.host.tools, number)
    if not page.items:
        return Screen(call.text("admin.tools.none"), [home_button(call)])
    lines: list[str] = []
    rows: list[Sequence[Button]] = []
    for tool in page.items:
        rule = call.core.tool_policy.rule(conn, tool)
        sign = "🚫" if rule.private == rule.groups == "nobody" else _sign(tool)
        lines.append(f"{sign} {tool.tool.name} ({_title(call, tool)}): {_summary(call, rule)}")
        rows.append([admin_button(tool.tool.name, NAME, _key(tool))])
    state = () if call.core.config.tools.enabled else call.text("admin.tools.off")
    return Screen(
        joined(call.text("admin.tools.title"), state, lines), [*rows, *turn_pages(page, NAME), home_button(call)]
    )


def _one(call: AdminCall, conn: Connection, tool: OwnedTool) -> Screen:
    rule = call.core.tool_policy.rule(conn, tool)
    stored = tool_rules.get(conn, tool.tool.name, tool.plugin_id)
    head = [
        f"{_sign(tool)} {tool.tool.name} ({_title(call, tool)})",
        call.text(f"admin.tools.danger_{tool.tool.danger}"),
    ]
    about = unlinked(one_line(tool.tool.description, MOST_ABOUT))
    rules = [f"{call.text(f'admin.tools.field_{name}')}: {_value(call, name, _of(rule, name))}" for name in FIELDS]
    source = call.text("admin.tools.as_configured" if stored is None else "admin.tools.as_set")
    how = call.text("admin.tools.how", tool=tool.tool.name)
    return Screen(joined(head, about, [*rules, source], how), [*_choices(call, tool, rule), *_ways(call, tool, stored)])


def _choices(call: AdminCall, tool: OwnedTool, rule: ToolRule) -> Iterator[Sequence[Button]]:
    """Yield a row of buttons for each field, the present value marked."""
    approvals = ("asker", "admins") if tool.tool.danger == "dangerous" else ("never", "asker", "admins")
    for name, sign, values in [
        ("private", "👤", _LOWEST),
        ("groups", "👥", _LOWEST),
        ("per_day", "🔢", _LIMITS),
        ("approval", "🔐", approvals),
    ]:
        present = _of(rule, name)
        buttons = [
            admin_button(
                f"{'✓' if value == present else sign} {_value(call, name, value)}", NAME, f"{_key(tool)} {name} {value}"
            )
            for value in values
        ]
        yield from (buttons[:3], buttons[3:]) if len(buttons) > 4 else (buttons,)


def _ways(call: AdminCall, tool: OwnedTool, stored: object) -> Sequence[Sequence[Button]]:
    reset = [[admin_button(call.text("admin.tools.reset"), NAME, f"{_key(tool)} {_RESET}")]] if stored else []
    return [*reset, [admin_button(call.text("admin.tools.back"), NAME)], home_button(call)]


def _summary(call: AdminCall, rule: ToolRule) -> str:
    parts = [f"👤 {_value(call, 'private', rule.private)}", f"👥 {_value(call, 'groups', rule.groups)}"]
    if rule.per_day:
        parts.append(f"🔢 {_value(call, 'per_day', str(rule.per_day))}")
    if rule.approval != "never":
        parts.append(f"🔐 {_value(call, 'approval', _of(rule, 'approval'))}")
    return ", ".join(parts)


def _of(rule: ToolRule, name: str) -> str:
    value = getattr(rule, name)
    return "by_role" if value is None else str(value)


def _value(call: AdminCall, name: str, value: str) -> str:
    """Return a value in words."""
    if name == "per_day":
        return call.text("admin.tools.no_limit") if value == "0" else call.text("admin.tools.per_day", count=int(value))
    if name == "approval":
        return call.text(f"admin.tools.approval_{value}")
    return call.text("admin.tools.nobody") if value == "nobody" else call.text(f"admin.words.role_{value}")


def _sign(tool: OwnedTool) -> str:
    return {"read": "👁", "write": "✏️", "dangerous": "⚠️"}[tool.tool.danger]


def _title(call: AdminCall, tool: OwnedTool) -> str:
    return unlinked(one_line(call.core.host.title_of(tool.plugin_id), 60))


def _key(tool: OwnedTool) -> str:
    """Return a short name of a tool, for the data of buttons. Bot API: InlineKeyboardButton, at most 64 bytes."""
    return _KEY + sha256(f"{tool.plugin_id}:{tool.tool.name}".encode()).hexdigest()[:12]
