"""Budgets of the bot, of roles, users and groups: shown, set, lifted, extended and reset."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from tgllm.api.budgets import Measure, Period
from tgllm.bot.admin.screen import Screen
from tgllm.bot.admin.screens.budget_screens import NAME, choice_screen, overview_screen, scope_screen
from tgllm.bot.admin.table import AdminCall, AdminCommand, Result
from tgllm.db.engine.unit import Connection
from tgllm.services.budgets.admin_changes import BudgetChange, ClearLimit, GiveExtra, ResetUse, SetLimit
from tgllm.services.budgets.amounts import parse_amount, parse_limit
from tgllm.services.budgets.budget_scope import BudgetScope
from tgllm.services.people.search import find_person

__all__ = ["CHANGES", "budget_rows"]


def budget_rows() -> tuple[AdminCommand, ...]:
    """Return the row for the admin table."""
    usage = f"[bot|<role>|<user>|<group> [{'|'.join(CHANGES)} <limit> <amount>]]"
    return (AdminCommand(NAME, _budget, usage=usage, menu=True, dangerous=_is_change),)


async def _is_change(call: AdminCall) -> bool:
    """Return whether the call changes a budget."""
    return [*call.argument.split(), "", ""][1] in CHANGES


async def _budget(call: AdminCall) -> Result:
    """Show all scopes, the budgets of one, or the choices for one limit, after a change if one is given."""
    whose, verb, *words = [*call.argument.split(), "", ""][:5]
    words = [word for word in words if word]
    if not whose:
        return overview_screen(call)

    def work(conn: Connection) -> Screen:
        scope = _scope(conn, whose)
        if verb == "choose":
            return choice_screen(call, conn, scope, *parse_limit(_word(words, 0)))
        if not verb:
            return scope_screen(call, conn, scope)
        if verb not in CHANGES:
            return Screen(call.text("admin.budget.how"))
        change = CHANGES[verb](words)
        call.core.budgets.change(conn, scope, [change], call.actor, shown_in=call.scope.chat.id)
        return replace(scope_screen(call, conn, scope), toast=call.text("admin.budget.done"))

    return work


def _scope(conn: Connection, text: str) -> BudgetScope:
    """Parse the scope of a budget; a user may be named by username, with the @."""
    return BudgetScope.user(find_person(conn, text).id) if text.startswith("@") else BudgetScope.parse(text)


def _word(words: list[str], place: int) -> str:
    return words[place] if len(words) > place else ""


def _limit(words: list[str]) -> tuple[Measure, Period]:
    return parse_limit(_word(words, 0))


def _amount(words: list[str], measure: Measure) -> int:
    return parse_amount(measure, _word(words, 1))


def _set(words: list[str]) -> BudgetChange:
    measure, period = _limit(words)
    return SetLimit(measure, period, _amount(words, measure))


def _give(words: list[str]) -> BudgetChange:
    measure, period = _limit(words)
    return GiveExtra(measure, period, _amount(words, measure))


CHANGES: Final[Mapping[str, Callable[[list[str]], BudgetChange]]] = {
    "set": _set,
    "lift": lambda words: SetLimit(*_limit(words), None),
    "default": lambda words: ClearLimit(*_limit(words)),
    "give": _give,
    "reset": lambda _words: ResetUse(),
}
"""Parsers of the words after a verb, by verb."""
