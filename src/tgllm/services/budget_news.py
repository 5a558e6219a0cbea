"""What somebody is told when an admin has changed their budget: one sentence, in their own language."""

from collections.abc import Iterator, Sequence

from tgllm.api.budgets import Measure, Period
from tgllm.db.unit import Connection
from tgllm.db.users import User
from tgllm.i18n import Catalogue
from tgllm.i18n.budgets import budget_amount
from tgllm.services.access_news import language_of, tell
from tgllm.services.budget_changes import BudgetChange, ClearLimit, GiveExtra, ResetUse, SetLimit
from tgllm.services.quota_limits import Limit

__all__ = ["tell_budget"]

_Kind = tuple[Measure, Period]


def tell_budget(
    conn: Connection,
    texts: Catalogue,
    user: User,
    changes: Sequence[BudgetChange],
    limits: tuple[Sequence[Limit], Sequence[Limit]],
    now: int,
) -> None:
    """Tell somebody, unless all is as it was.

    Args:
        conn: the transaction that makes the changes.
        texts: the words of the bot.
        user: whose budget it is.
        changes: those that were made, in their order.
        limits: before them, and after.
        now: UTC, in milliseconds.
    """
    language = language_of(conn, user)
    parts = list(dict.fromkeys(_parts(texts, language, changes, limits)))
    if parts:
        tell(conn, user.id, texts("budget.changed", language, changes="; ".join(parts)), now)


def _parts(
    texts: Catalogue, language: str, changes: Sequence[BudgetChange], limits: tuple[Sequence[Limit], Sequence[Limit]]
) -> Iterator[str]:
    before, after = (_amounts(each) for each in limits)
    for change in changes:
        match change:
            case SetLimit(measure, period) | ClearLimit(measure, period):
                amount = after.get((measure, period))
                if amount != before.get((measure, period)):
                    yield _part(texts, language, "none" if amount is None else "limit", (measure, period), amount or 0)
            case GiveExtra(measure, period):
                given = _given(changes, (measure, period))
                yield _part(texts, language, "extra", (measure, period), given)
            case ResetUse():
                yield texts("budget.changed_reset", language)


def _given(changes: Sequence[BudgetChange], kind: _Kind) -> int:
    extras = [each for each in changes if isinstance(each, GiveExtra)]
    return sum(each.amount for each in extras if (each.measure, each.period) == kind)


def _amounts(limits: Sequence[Limit]) -> dict[_Kind, int | None]:
    return {(each.measure, each.period): each.amount for each in limits}


def _part(texts: Catalogue, language: str, what: str, kind: _Kind, amount: int) -> str:
    measure, period = kind
    return texts(
        f"budget.changed_{what}",
        language,
        measure=texts(f"budget.measure_{measure}", language),
        period=texts(f"budget.period_{period}", language),
        amount=budget_amount(measure, amount),
    )
