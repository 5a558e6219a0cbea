"""Screens of budgets, and their buttons."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, get_args

from tgllm.api import Role
from tgllm.api.budgets import Measure, Period
from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import AdminCall
from tgllm.bot.admin.words import home_button, joined, person
from tgllm.bot.ui.budget_words import budget_line
from tgllm.bot.ui.keyboards import Button
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups, users
from tgllm.i18n.budgets import budget_amount
from tgllm.services.budgets.amounts import LIMITS, limit_name, write_amount
from tgllm.services.budgets.budget_scope import BudgetScope
from tgllm.services.budgets.limits import Limit
from tgllm.services.budgets.permissions import may_change
from tgllm.services.budgets.service import ScopeReport
from tgllm.services.people.names import named_group

__all__ = ["NAME", "choice_screen", "overview_screen", "scope_screen"]

NAME: Final = "budget"
PRESETS: Final[Mapping[Measure, Sequence[int]]] = {
    "requests": (10, 30, 100, 300),
    "tokens": (30_000, 100_000, 300_000, 1_000_000),
    "cost": (100_000, 500_000, 2_000_000, 10_000_000),
}
"""Daily limits that have buttons; monthly ones are ten times as much."""


def overview_screen(call: AdminCall) -> Screen:
    """Return the screen with the scopes of budgets."""
    roles = [admin_button(call.text(f"admin.words.role_{role}"), NAME, role) for role in get_args(Role)]
    bot = [admin_button(call.text("budget.whose_bot"), NAME, "bot")]
    text = joined(call.text("admin.budget.title"), call.text("admin.budget.how"))
    return Screen(text, [bot, roles[:2], roles[2:], home_button(call)])


def scope_screen(call: AdminCall, conn: Connection, scope: BudgetScope) -> Screen:
    """Return the screen with the budgets of one scope, with a button for each kind of limit."""
    report = call.core.budgets.report(conn, scope)
    lines = list(_lines(call, report)) or [call.text("admin.budget.none")]
    rows = list(_ways(call, scope, report)) if may_change(conn, scope, call.actor, call.now) else []
    return Screen(joined(_title(call, conn, scope), lines), [*rows, _back(call), home_button(call)])


def _ways(call: AdminCall, scope: BudgetScope, report: ScopeReport) -> Iterator[Sequence[Button]]:
    """Yield a button for each kind of limit, two in a row, and one that resets the usage."""
    kinds = [
        admin_button(_kind(call, measure, period), NAME, f"{_whose(scope)} choose {limit_name(measure, period)}")
        for measure, period in LIMITS
    ]
    yield from (kinds[first : first + 2] for first in range(0, len(kinds), 2))
    if report.budgets:
        yield [admin_button(call.text("admin.budget.reset"), NAME, f"{_whose(scope)} reset")]


def choice_screen(call: AdminCall, conn: Connection, scope: BudgetScope, measure: Measure, period: Period) -> Screen:
    """Return the screen with the choices for one limit of a scope."""
    report = call.core.budgets.report(conn, scope)
    name, whose = limit_name(measure, period), _whose(scope)
    lines = list(_lines(call, report, (measure, period))) or [call.text("admin.budget.none")]
    times = 10 if period == "month" else 1
    amounts = [
        _button("admin.budget.set", call, f"{whose} set {name}", measure, preset * times) for preset in PRESETS[measure]
    ]
    extras = [
        [_button("admin.budget.give", call, f"{whose} give {name}", measure, max(1, each.limit // 2))]
        for each in report.budgets
        if (each.measure, each.period) == (measure, period)
    ]
    lift = admin_button(call.text("admin.budget.lift"), NAME, f"{whose} lift {name}")
    default = admin_button(call.text("admin.budget.default"), NAME, f"{whose} default {name}")
    title = f"{_title(call, conn, scope)}\n{_kind(call, measure, period)}"
    rows = [amounts[:2], amounts[2:], *extras, [lift, default]]
    return Screen(joined(title, lines), [*rows, _back(call, whose)])


def _button(key: str, call: AdminCall, command: str, measure: Measure, amount: int) -> Button:
    label = call.text(key, amount=budget_amount(measure, amount))
    return admin_button(label, NAME, f"{command} {write_amount(measure, amount)}")


def _lines(call: AdminCall, report: ScopeReport, only: tuple[Measure, Period] | None = None) -> Iterator[str]:
    """Yield a line for each limit: what is used and left, or that it is lifted, and the source of the limit."""
    days = call.core.days
    budgets = {(each.measure, each.period): each for each in report.budgets}
    for limit in report.limits:
        kind = limit.measure, limit.period
        if only not in {None, kind}:
            continue
        budget = budgets.get(kind)
        line = _limit(call, limit) if budget is None else budget_line(call.text, budget, days)
        yield f"{line} ({call.text(f'admin.budget.from_{limit.source}')})"


def _limit(call: AdminCall, limit: Limit) -> str:
    kind = _kind(call, limit.measure, limit.period)
    if limit.amount is None:
        return call.text("admin.budget.lifted", limit=kind)
    return call.text("admin.budget.limit", limit=kind, amount=budget_amount(limit.measure, limit.amount))


def _kind(call: AdminCall, measure: Measure, period: Period) -> str:
    return f"{call.text(f'budget.measure_{measure}')} {call.text(f'budget.period_{period}')}"


def _title(call: AdminCall, conn: Connection, scope: BudgetScope) -> str:
    match scope.kind:
        case "bot":
            return call.text("budget.whose_bot")
        case "role":
            return call.text("admin.budget.of_role", role=call.text(f"admin.words.role_{scope.name}"))
        case "user":
            user = users.get(conn, scope.id or 0)
            return call.text("admin.budget.of", whose=scope.name if user is None else person(user))
        case "group":
            group = groups.get(conn, scope.id or 0)
            return call.text("admin.budget.of", whose=scope.name if group is None else named_group(group))


def _whose(scope: BudgetScope) -> str:
    return scope.name or scope.key


def _back(call: AdminCall, whose: str = "") -> Sequence[Button]:
    return [admin_button(call.text("admin.budget.back"), NAME, whose)]
