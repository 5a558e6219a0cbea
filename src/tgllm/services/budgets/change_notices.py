"""Texts of notices of changed budgets, one line each: to the people concerned, to a group, and to the admins."""

from collections.abc import Iterator, Sequence

from tgllm.api.budgets import Measure, Period
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups, users
from tgllm.db.tables.users import User
from tgllm.i18n import Catalogue
from tgllm.i18n.budgets import budget_amount
from tgllm.services.budgets.admin_changes import BudgetChange, ClearLimit, GiveExtra, ResetUse, SetLimit
from tgllm.services.budgets.budget_scope import BudgetScope
from tgllm.services.budgets.limits import Limit
from tgllm.services.common.actor import Actor
from tgllm.services.messaging.people import language_of, tell
from tgllm.services.people.names import named, named_group

__all__ = ["admin_line", "group_text", "tell_budget"]

_Kind = tuple[Measure, Period]


def tell_budget(
    conn: Connection,
    texts: Catalogue,
    user: User,
    changes: Sequence[BudgetChange],
    limits: tuple[Sequence[Limit], Sequence[Limit]],
    now: int,
) -> None:
    """Notify the person whose budget was changed; send nothing if nothing is different.

    Args:
        conn: the transaction that makes the changes.
        texts: the text catalogue.
        user: whose budget it is.
        changes: the changes, in their order.
        limits: before and after the changes.
        now: UTC, in milliseconds.
    """
    language = language_of(conn, user)
    made = _made(texts, language, changes, limits, texts("budget.changed_reset", language))
    if made:
        tell(conn, user.id, texts("budget.changed", language, changes=made), now)


def admin_line(
    conn: Connection,
    texts: Catalogue,
    scope: BudgetScope,
    actor: Actor,
    changes: Sequence[BudgetChange],
    limits: tuple[Sequence[Limit], Sequence[Limit]],
) -> str:
    """Return the notice to the admins, in the bot's language; empty if nothing is different.

    Args:
        conn: the transaction that makes the changes.
        texts: the text catalogue.
        scope: whose budget it is.
        actor: who makes the changes.
        changes: the changes, in their order.
        limits: before and after the changes.
    """
    made = _made(texts, "", changes, limits, texts("budget.changed_count"))
    if not made:
        return ""
    admin = None if actor.id is None else users.get(conn, actor.id)
    by = texts("access.by_operator") if admin is None else named(admin)
    return texts("budget.changed_by", whose=_whose(conn, texts, scope), changes=made, by=by)


def group_text(
    texts: Catalogue, changes: Sequence[BudgetChange], limits: tuple[Sequence[Limit], Sequence[Limit]]
) -> str:
    """Return the notice to the group whose budget was changed, in the bot's language; empty if nothing is different."""
    made = _made(texts, "", changes, limits, texts("budget.changed_count"))
    return texts("budget.changed_group", changes=made) if made else ""


def _whose(conn: Connection, texts: Catalogue, scope: BudgetScope) -> str:
    if scope.kind == "user":
        user = users.get(conn, scope.id or 0)
        return texts("budget.whose_person", person=scope.name if user is None else named(user))
    if scope.kind == "role":
        return texts("budget.whose_role", role=texts(f"admin.words.role_{scope.name}"))
    if scope.id is None:
        return texts("budget.whose_bot")
    group = groups.get(conn, scope.id)
    return texts("budget.whose_that_group", group=scope.name if group is None else named_group(group))


def _made(
    texts: Catalogue,
    language: str,
    changes: Sequence[BudgetChange],
    limits: tuple[Sequence[Limit], Sequence[Limit]],
    reset: str,
) -> str:
    """Return the changes as text, each once; ``reset`` is the text for a reset."""
    return "; ".join(dict.fromkeys(_parts(texts, language, changes, limits, reset)))


def _parts(
    texts: Catalogue,
    language: str,
    changes: Sequence[BudgetChange],
    limits: tuple[Sequence[Limit], Sequence[Limit]],
    reset: str,
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
                yield reset


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
