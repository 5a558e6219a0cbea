"""Implementation of ``tgllm users budget``."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final

from tgllm.api.budgets import Measure, Period
from tgllm.api.errors import TgllmError
from tgllm.cli.commands.models.cells import MICROS
from tgllm.cli.failure import tell
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, print_table
from tgllm.cli.people import People, open_people
from tgllm.cli.words import person_name
from tgllm.config.checks import zone
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.users import User
from tgllm.i18n import error_text
from tgllm.i18n.budgets import budget_amount
from tgllm.services.budgets.admin_changes import BudgetChange, ClearLimit, GiveExtra, ResetUse, SetLimit
from tgllm.services.budgets.amounts import limit_name, parse_amount, parse_limit
from tgllm.services.budgets.budget_scope import BudgetError, BudgetScope
from tgllm.services.budgets.service import BudgetService, ScopeReport
from tgllm.services.common.actor import SHELL
from tgllm.services.common.calendar import Days
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.usage.accounting import Accounting

if TYPE_CHECKING:
    from tgllm.services.budgets.budget import Budget
    from tgllm.services.budgets.limits import Limit, LimitSource

__all__ = ["BudgetChanges", "run_budget"]

COLUMNS = ("Limit", "Amount", "Used", "Left", "Until", "From")
SOURCES: Final[dict["LimitSource", str]] = {"config": "settings", "role": "role", "own": "person"}


@dataclass(frozen=True, slots=True)
class BudgetChanges:
    """Changes as typed: limits such as ``usd/month``, and amounts such as ``usd/month=2.50``."""

    set: Sequence[str] = ()
    give: Sequence[str] = ()
    lift: Sequence[str] = ()
    default: Sequence[str] = ()
    reset: bool = False


def run_budget(options: Options, person: str, changes: BudgetChanges, *, as_json: bool) -> None:
    """Apply all changes to a user's budget, or none, and print the resulting limits.

    Raises:
        TgllmError: the user is unknown, or a change is invalid.
    """
    people, user, report = asyncio.run(_run(options, person, changes))
    if as_json:
        print_json(_object(user, report))
    elif report.limits:
        print_table(COLUMNS, (_row(people, limit, _left_of(report, limit)) for limit in report.limits))
    if not report.limits:
        tell(people.texts("shell.budget_no_limits", person=person_name(user)))


async def _run(options: Options, person: str, typed: BudgetChanges) -> tuple[People, User, ScopeReport]:
    async with open_people(options) as people:
        try:
            user, report = await _change(people, person, _changes(typed))
        except BudgetError as error:
            words = (
                people.texts("shell.budget_none") if error.code == "budget_none" else error_text(people.texts, error)
            )
            raise TgllmError(words, code=error.code) from error
        return people, user, report


async def _change(people: People, person: str, changes: Sequence[BudgetChange]) -> tuple[User, ScopeReport]:
    budgets = _budgets(people)

    def unit(conn: Connection) -> tuple[User, ScopeReport]:
        user = people.find(conn, person)
        scope = BudgetScope.user(user.id)
        if changes:
            budgets.change(conn, scope, changes, SHELL)
        return user, budgets.report(conn, scope)

    return await (people.database.write(unit) if changes else people.database.read(unit))


def _budgets(people: People) -> BudgetService:
    config = people.config
    notifier = AdminNotifier(people.database, people.clock, config.admin_chat_id)
    accounting = Accounting(days=_days(people))
    return BudgetService(
        people.database, people.clock, accounting, people.texts, notifier, config.budgets, config.groups
    )


def _days(people: People) -> Days:
    return Days(zone(people.config.time_zone))


def _changes(typed: BudgetChanges) -> Sequence[BudgetChange]:
    """Parse the changes, and return them in the order in which they are applied.

    Raises:
        BudgetError: a change is invalid.
    """
    changes: list[BudgetChange] = [ClearLimit(*parse_limit(text)) for text in typed.default]
    changes += [SetLimit(*parse_limit(text), None) for text in typed.lift]
    changes += [SetLimit(*_typed(text)) for text in typed.set]
    if typed.reset:
        changes.append(ResetUse())
    return [*changes, *(GiveExtra(*_typed(text)) for text in typed.give)]


def _typed(text: str) -> tuple[Measure, Period, int]:
    limit, _, number = text.partition("=")
    measure, period = parse_limit(limit)
    return measure, period, parse_amount(measure, number)


def _left_of(report: ScopeReport, limit: "Limit") -> "Budget | None":
    found = (each for each in report.budgets if (each.measure, each.period) == (limit.measure, limit.period))
    return next(found, None)


def _row(people: People, limit: "Limit", left: "Budget | None") -> Sequence[str]:
    name, source = limit_name(limit.measure, limit.period), SOURCES[limit.source]
    if left is None:
        return (name, "none", "-", "-", "-", source)
    amounts = (budget_amount(limit.measure, amount) for amount in (left.limit, left.used, left.left))
    return (name, *amounts, _days(people).told(left.until), source)


def _object(user: User, report: ScopeReport) -> dict[str, object]:
    limits = [_limit_object(limit, _left_of(report, limit)) for limit in report.limits]
    return {"user": user.id, "limits": limits}


def _limit_object(limit: "Limit", left: "Budget | None") -> dict[str, object]:
    """Return the JSON object of a limit: costs in US dollars, the amount including extra amounts."""
    return {
        "limit": limit_name(limit.measure, limit.period),
        "amount": None if left is None else _number(limit, left.limit),
        "used": None if left is None else _number(limit, left.used),
        "until": None if left is None else left.until.astimezone(UTC).isoformat(),
        "source": limit.source,
    }


def _number(limit: "Limit", amount: int) -> float:
    return amount / MICROS if limit.measure == "cost" else amount
