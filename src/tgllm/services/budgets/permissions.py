"""Permissions to change budgets, by the roles of the actor and of those whose budget it is.

Shell commands and owners may change all budgets. Admins may change the budgets of users, of guests and of groups, but
no budget that binds an owner or an admin, and no limit that an owner has set. A limit that an owner has set for a role
holds for each person of the role: admins may only set lower ones.
"""

from collections.abc import Collection, Iterable
from typing import Final

from tgllm.api import Role
from tgllm.api.budgets import Measure, Period
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import budgets
from tgllm.db.tables.budgets import BudgetLimit
from tgllm.services.budgets.budget_scope import BudgetScope
from tgllm.services.common.actor import Actor
from tgllm.services.people.decisions import AccessError, administrator, known

__all__ = ["acts_as_owner", "check_limits", "check_role_limits", "check_scope", "may_change"]

BELOW_ADMIN: Final[frozenset[Role]] = frozenset({"user", "guest"})
"""Roles whose budgets admins may change."""


def acts_as_owner(conn: Connection, actor: Actor, now: int) -> bool:
    """Return whether the actor is an owner or the shell.

    Raises:
        AccessError: the actor is not an admin.
    """
    user = administrator(conn, actor, now)
    return user is None or user.role == "owner"


def check_scope(conn: Connection, scope: BudgetScope, actor: Actor, now: int) -> None:
    """Check that the actor may change budgets of this scope.

    Raises:
        AccessError: the actor may not, or the user id is unknown.
    """
    role: str | None = scope.name if scope.kind == "role" else None
    if scope.kind == "user":
        role = known(conn, scope.id or 0).role
    if acts_as_owner(conn, actor, now):
        return
    # The budget of the bot binds owners and admins too.
    if scope.kind == "bot" or (role is not None and role not in BELOW_ADMIN):
        raise AccessError("the budget of an equal or higher role", code="access_budget_role")


def check_limits(
    conn: Connection, scope: BudgetScope, limits: Iterable[tuple[Measure, Period]], actor: Actor, now: int
) -> None:
    """Check that none of these limits was set by an owner, unless the actor is one.

    Raises:
        AccessError: one was.
    """
    touched = set(limits)
    if not acts_as_owner(conn, actor, now) and any(_by_owner(conn, scope, touched)):
        raise AccessError("a limit of an owner", code="access_budget_set")


def check_role_limits(
    conn: Connection,
    scope: BudgetScope,
    limits: Iterable[tuple[Measure, Period]],
    actor: Actor,
    now: int,
    *,
    amount: int | None = None,
) -> None:
    """Check that a change for one person exceeds no limit that an owner has set for the person's role.

    Args:
        conn: an open transaction.
        scope: whose limits are changed.
        limits: the limits that the change lifts, exceeds or sets.
        actor: who makes the change; owners may make all.
        now: UTC in milliseconds.
        amount: the new amount; None if the limits are lifted or exceeded.

    Raises:
        AccessError: it does.
    """
    role = known(conn, scope.id or 0).role if scope.kind == "user" else None
    if role is None or acts_as_owner(conn, actor, now):
        return
    for row in _by_owner(conn, BudgetScope.role(role), set(limits)):
        if amount is None or (row.amount is not None and amount > row.amount):
            raise AccessError("a limit of an owner for the role", code="access_budget_set")


def _by_owner(conn: Connection, scope: BudgetScope, limits: Collection[tuple[Measure, Period]]) -> list[BudgetLimit]:
    """Return those of these limits that an owner has set."""
    rows = budgets.limits(conn, [scope.key])
    return [row for row in rows if row.by_owner and (row.measure, row.period) in limits]


def may_change(conn: Connection, scope: BudgetScope, actor: Actor, now: int) -> bool:
    """Return whether the actor may change budgets of this scope; limits that an owner has set are checked later."""
    try:
        check_scope(conn, scope, actor, now)
    except AccessError:
        return False
    return True
