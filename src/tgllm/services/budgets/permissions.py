"""Permissions to change budgets, by the roles of the actor and of those whose budget it is.

Shell commands and owners may change all budgets. Admins may change the budgets of users, of guests and of groups, but
no budget that binds an owner or an admin, and no limit that an owner has set.
"""

from collections.abc import Iterable
from typing import Final

from tgllm.api import Role
from tgllm.api.budgets import Measure, Period
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import budgets
from tgllm.services.budgets.budget_scope import BudgetScope
from tgllm.services.common.actor import Actor
from tgllm.services.people.decisions import AccessError, administrator, known

__all__ = ["acts_as_owner", "check_limits", "check_scope", "may_change"]

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
    if acts_as_owner(conn, actor, now):
        return
    touched = set(limits)
    for row in budgets.limits(conn, [scope.key]):
        if row.by_owner and (row.measure, row.period) in touched:
            raise AccessError("a limit of an owner", code="access_budget_set")


def may_change(conn: Connection, scope: BudgetScope, actor: Actor, now: int) -> bool:
    """Return whether the actor may change budgets of this scope; limits that an owner has set are checked later."""
    try:
        check_scope(conn, scope, actor, now)
    except AccessError:
        return False
    return True
