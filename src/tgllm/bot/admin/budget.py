"""Budgets: seen, set, lifted, given extra and reset, of the bot, of roles, of people and of groups."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from tgllm.bot.admin.budget_screens import NAME, choice_screen, overview_screen, scope_screen
from tgllm.bot.admin.screen import Screen
from tgllm.bot.admin.table import AdminCall, AdminCommand, Result
from tgllm.db.unit import Connection
from tgllm.services.actor import Actor
from tgllm.services.budget_input import parse_amount, parse_limit
from tgllm.services.budget_scope import BOT, BudgetScope
from tgllm.services.people import find_person

__all__ = ["budget_rows"]

Change = Callable[[AdminCall, Connection, BudgetScope, list[str]], None]
"""Changes the budgets of a scope as the words say that follow the verb."""


def budget_rows() -> tuple[AdminCommand, ...]:
    """The row for the admin table."""
    usage = f"[bot|<role>|<user>|<group> [{'|'.join(_CHANGES)} <limit> <amount>]]"
    return (AdminCommand(NAME, _budget, usage=usage, menu=True, dangerous=_changes_the_bot),)


async def _changes_the_bot(call: AdminCall) -> bool:
    """Whether what everybody together may use is to be another; that is the operator's money."""
    whose, verb, *_ = [*call.argument.split(), "", ""]
    return verb in _CHANGES and whose.lower().removeprefix(":") == BOT.key


async def _budget(call: AdminCall) -> Result:
    """Show whose budgets there are, those of one, or what one of them can be; perhaps after a change."""
    whose, verb, *words = [*call.argument.split(), "", ""][:5]
    words = [word for word in words if word]
    if not whose:
        return overview_screen(call)

    def work(conn: Connection) -> Screen:
        scope = _scope(conn, whose)
        if verb == "choose":
            return choice_screen(call, conn, scope, *parse_limit(_word(words, 0)))
        change = _CHANGES.get(verb)
        if verb and change is None:
            return Screen(call.text("admin.budget.how"))
        if change is not None:
            change(call, conn, scope, words)
        screen = scope_screen(call, conn, scope)
        return screen if change is None else replace(screen, toast=call.text("admin.budget.done"))

    return work


def _scope(conn: Connection, text: str) -> BudgetScope:
    """Whose budget is meant; somebody may be named by their username, with the @."""
    return BudgetScope.user(find_person(conn, text).id) if text.startswith("@") else BudgetScope.parse(text)


def _word(words: list[str], place: int) -> str:
    return words[place] if len(words) > place else ""


def _actor(call: AdminCall) -> Actor:
    return Actor(call.user.id, "telegram")


def _set(call: AdminCall, conn: Connection, scope: BudgetScope, words: list[str]) -> None:
    measure, period = parse_limit(_word(words, 0))
    amount = parse_amount(measure, _word(words, 1))
    call.scope.parts.core.quota.set_limit_in(conn, scope, measure, period, amount, _actor(call))


def _lift(call: AdminCall, conn: Connection, scope: BudgetScope, words: list[str]) -> None:
    measure, period = parse_limit(_word(words, 0))
    call.scope.parts.core.quota.set_limit_in(conn, scope, measure, period, None, _actor(call))


def _default(call: AdminCall, conn: Connection, scope: BudgetScope, words: list[str]) -> None:
    measure, period = parse_limit(_word(words, 0))
    call.scope.parts.core.quota.clear_limit_in(conn, scope, measure, period, _actor(call))


def _give(call: AdminCall, conn: Connection, scope: BudgetScope, words: list[str]) -> None:
    measure, period = parse_limit(_word(words, 0))
    amount = parse_amount(measure, _word(words, 1))
    call.scope.parts.core.quota.give_in(conn, scope, measure, period, amount, _actor(call))


def _reset(call: AdminCall, conn: Connection, scope: BudgetScope, _words: list[str]) -> None:
    call.scope.parts.core.quota.reset_in(conn, scope, _actor(call))


_CHANGES: Final[Mapping[str, Change]] = {
    "set": _set,
    "lift": _lift,
    "default": _default,
    "give": _give,
    "reset": _reset,
}
