"""Recipients of the notices of a changed budget: those whose budget it is, and the owners or all admins."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import budgets, groups, outbox, users
from tgllm.db.tables.users import User
from tgllm.i18n import Catalogue
from tgllm.services.budgets.admin_changes import BudgetChange, ClearLimit, SetLimit
from tgllm.services.budgets.budget_scope import BudgetScope
from tgllm.services.budgets.change_notices import admin_line, group_text, tell_budget
from tgllm.services.budgets.limits import Limit
from tgllm.services.budgets.permissions import BELOW_ADMIN
from tgllm.services.common.actor import Actor
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.messaging.people import message_to, tell

__all__ = ["ChangeNotices"]


@dataclass(frozen=True, slots=True)
class ChangeNotices:
    """Notices of the changes of one budget, within the transaction that makes them. The actor gets none."""

    conn: Connection
    texts: Catalogue
    notifier: AdminNotifier
    scope: BudgetScope
    actor: Actor
    changes: Sequence[BudgetChange]
    limits: tuple[Sequence[Limit], Sequence[Limit]]
    """Before and after the changes."""
    now: int
    """UTC, in milliseconds."""

    def send(self, person: User | None, shown_in: int | None) -> None:
        """Add the notices to the outbox; none if nothing is different.

        Args:
            person: whose budget it is; None if it is not one person's.
            shown_in: id of the chat that shows the result anyway.
        """
        but = {self.actor.id, shown_in}
        concerned = [user for user in self._concerned(person) if user.may_use(self.now)]
        for user in concerned:
            if user.id not in but:
                tell_budget(self.conn, self.texts, user, self.changes, self.limits, self.now)
        if self.scope.kind == "group" and shown_in != self.scope.id:
            self._tell_group()
        line = admin_line(self.conn, self.texts, self.scope, self.actor, self.changes, self.limits)
        if not line:
            return
        if person is None:
            self.notifier.add(self.conn, line, but=but)
        else:
            self._tell_owners(line, {*but, person.id})

    def _concerned(self, person: User | None) -> Iterator[User]:
        """Yield the people who get a notice of their own; admins of a role get the line for admins."""
        if person is not None:
            yield person
        elif self.scope.kind == "role" and self.scope.name in BELOW_ADMIN:
            for user in users.list_all(self.conn, "active"):
                if user.role == self.scope.name and not self._has_own(user):
                    yield user

    def _has_own(self, user: User) -> bool:
        """Return whether all changed limits of the role are overridden by limits of the person."""
        changed = {(each.measure, each.period) for each in self.changes if isinstance(each, SetLimit | ClearLimit)}
        own = {(row.measure, row.period) for row in budgets.limits(self.conn, [BudgetScope.user(user.id).key])}
        return bool(changed) and changed <= own

    def _tell_owners(self, line: str, but: Collection[int | None]) -> None:
        for user in users.list_all(self.conn, "active"):
            if user.role == "owner" and user.may_use(self.now) and user.id not in but:
                tell(self.conn, user.id, line, self.now)

    def _tell_group(self) -> None:
        group = groups.get(self.conn, self.scope.id or 0)
        text = group_text(self.texts, self.changes, self.limits)
        if group is not None and group.status == "active" and text:
            outbox.add(self.conn, [message_to(group.id, text)], self.now)
