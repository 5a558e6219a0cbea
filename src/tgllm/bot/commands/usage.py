"""The command ``/usage``: the user's usage, and what is left of their budgets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tgllm.api import ModelRef
from tgllm.bot.scope import Scope
from tgllm.bot.ui.budget_words import budget_line
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.usage_words import unpriced_note, usage_line
from tgllm.db.engine.unit import Connection
from tgllm.i18n import Catalogue
from tgllm.services.budgets.budget import Budget
from tgllm.services.budgets.budget_scope import BOT
from tgllm.services.common.text import clip
from tgllm.services.usage.report import UsageReport, usage_report

__all__ = ["usage_commands"]

MOST_MODELS = 20
"""Most models that are listed; the others are counted."""
MOST_NAME = 100
"""Most UTF-16 units of a model's name."""


def usage_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the rows for the command table."""
    return (TableCommand("usage", lambda language: texts("command.usage", language), "user", _usage, reads="always"),)


async def _usage(scope: Scope, _command: ParsedCommand) -> None:
    found = await scope.read(lambda conn: _read(conn, scope))
    await scope.reply("\n".join([*_lines(scope, found.report), *_budgets(scope, found.budgets)]))


@dataclass(frozen=True, slots=True)
class _Found:
    report: UsageReport
    budgets: Sequence[Budget]


def _read(conn: Connection, scope: Scope) -> _Found:
    core, user = scope.core, scope.user
    report = usage_report(conn, user.id, scope.now, core.days)
    budgets = [*core.budgets.of_person(conn, user, scope.chat)]
    # The bot's total budget is shown only to admins, in private.
    if user.is_admin and scope.chat.is_private:
        budgets += core.budgets.report(conn, BOT).budgets
    return _Found(report, budgets)


def _budgets(scope: Scope, budgets: Sequence[Budget]) -> Iterator[str]:
    """Yield the budgets, grouped by kind under its title."""
    for kind in dict.fromkeys(budget.scope.kind for budget in budgets):
        yield ""
        yield f"{scope.text(f'budget.whose_{kind}')}:"
        for budget in budgets:
            if budget.scope.kind == kind:
                yield budget_line(scope.text, budget, scope.core.days)


def _lines(scope: Scope, report: UsageReport) -> Iterator[str]:
    yield scope.text("usage.title", zone=scope.core.days.zone)
    yield ""
    yield usage_line(scope.text, scope.text("usage.today"), report.today)
    yield usage_line(scope.text, scope.text("usage.month"), report.month)
    yield usage_line(scope.text, scope.text("usage.ever"), report.ever)
    if report.models:
        yield ""
        yield scope.text("usage.models")
    for total in report.models[:MOST_MODELS]:
        yield usage_line(scope.text, clip(str(ModelRef(total.provider, total.model)), MOST_NAME), total)
    if len(report.models) > MOST_MODELS:
        yield scope.text("usage.more", count=len(report.models) - MOST_MODELS)
    note = unpriced_note(scope.text, ((ModelRef(total.provider, total.model), total) for total in report.models))
    if note:
        yield from ("", *note)
