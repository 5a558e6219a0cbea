"""Budgets: how much people, groups and the whole bot may use in a day and in a month."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from tgllm.api import ChatInfo, Role, Usage, UserInfo
from tgllm.api.clock import Clock, milliseconds
from tgllm.config.sections.budgets import BudgetsSection, GroupsSection
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import budgets, users
from tgllm.i18n import Catalogue
from tgllm.services.budgets.admin_changes import BudgetChange, BudgetEditor
from tgllm.services.budgets.alerts import BudgetAlerts
from tgllm.services.budgets.budget import Budget, read_budgets
from tgllm.services.budgets.budget_scope import BudgetScope
from tgllm.services.budgets.change_notices import admin_line, tell_budget
from tgllm.services.budgets.ledger import Ledger
from tgllm.services.budgets.limits import Holders, Limit, Limits
from tgllm.services.budgets.needs import OutputBounds
from tgllm.services.budgets.reservation import Reservation
from tgllm.services.budgets.usage_sums import UsageSums
from tgllm.services.common.actor import Actor
from tgllm.services.conversations.turn import Turn
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.usage.accounting import Accounting

__all__ = ["BudgetService", "ScopeReport"]


@dataclass(frozen=True, slots=True)
class ScopeReport:
    """The budgets of one scope."""

    scope: BudgetScope
    limits: Sequence[Limit]
    """Lifted ones included."""
    budgets: Sequence[Budget]
    """What is left of them; a role has none, since each of its people has their own."""


class BudgetService:
    """Keeps turns within their budgets, tells what is left of them, and changes them.

    Methods that take a connection are for use within a larger transaction or read.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        accounting: Accounting,
        texts: Catalogue,
        notifier: AdminNotifier,
        settings: BudgetsSection | None = None,
        groups: GroupsSection | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            database: with usage and budgets.
            clock: the time.
            accounting: prices, and the calendar.
            texts: the words of the bot.
            notifier: tells the admins.
            settings: the limits of the configuration.
            groups: says whose budget is used in groups.
        """
        self._database = database
        self._clock = clock
        self._prices, self._days = accounting.prices, accounting.days
        self._limits = Limits(settings or BudgetsSection())
        self._group_pays = (groups or GroupsSection()).pays == "group"
        self._sums = UsageSums(private_only=self._group_pays)
        self._texts, self._notifier = texts, notifier
        self._alerts = BudgetAlerts(texts, self._days, notifier)
        self._ledger = Ledger()
        self._bounds = OutputBounds()

    def reservation(self, turn: Turn) -> Reservation:
        """The budgets of a turn; begin before anything of it is read."""
        holders = self._holders(turn.user, turn.chat)
        return Reservation(
            self._database,
            self._ledger,
            self._bounds,
            self._prices,
            self._days,
            lambda conn: self._budgets_of(conn, holders),
        )

    def settle(self, turn: Turn, reservation: Reservation, tokens: Usage) -> Sequence[Unit]:
        """Note what a turn has used.

        Args:
            turn: that has ended.
            reservation: of its budgets.
            tokens: input and output are numbers.

        Returns:
            What tells people and admins of budgets that are nearly or wholly used up; for the transaction that stores
            the turn, after its usage.
        """
        reservation.settle(tokens)
        if not reservation.has_alerts:
            return ()
        now = milliseconds(self._clock)
        return [lambda conn: self._alerts.tell(conn, turn, reservation.read(conn), now)]

    def of_person(self, conn: Connection, user: UserInfo, chat: ChatInfo | None = None) -> Sequence[Budget]:
        """What a person has left, and the group of a chat; the bot's own budget is left out."""
        group_id = None if chat is None or chat.is_private else chat.id
        return self._budgets_of(conn, Holders(user.id, user.role, group_id, bot=False))

    def report(self, conn: Connection, scope: BudgetScope) -> ScopeReport:
        """The budgets of one scope."""
        limits = self._limits_of(conn, scope)
        if scope.kind == "role":
            return ScopeReport(scope, limits, ())
        now = milliseconds(self._clock)
        return ScopeReport(scope, limits, read_budgets(conn, limits, now, self._days, self._sums))

    def change(
        self,
        conn: Connection,
        scope: BudgetScope,
        changes: Sequence[BudgetChange],
        actor: Actor,
        *,
        shown_in: int | None = None,
    ) -> None:
        """Change a budget, all of it or nothing, and tell the person whose it is, unless they do it themselves.

        Of the bot's, a role's and a group's the admins are told, but for the one who does it.

        Args:
            conn: an open write transaction.
            scope: whose budget.
            changes: made in their order.
            actor: who makes them.
            shown_in: id of the chat where it is seen in any case.

        Raises:
            AccessError: the actor is no admin, or nobody has that user id.
            BudgetError: there is no such limit, an amount makes no sense, or roles can't have it.
        """
        now = milliseconds(self._clock)
        maker = BudgetEditor(conn, scope, actor, now, self._days)
        person, before = maker.check(), self._limits_of(conn, scope)
        for change in changes:
            maker.make(change, self._limits_of(conn, scope), self._sums)
        limits = before, self._limits_of(conn, scope)
        if person is None:
            line = admin_line(conn, self._texts, scope, actor, changes, limits)
            if line:
                self._notifier.add(conn, line, but={actor.id, shown_in})
        elif person.may_use(now) and person.id != actor.id:
            tell_budget(conn, self._texts, person, changes, limits, now)

    def _holders(self, user: UserInfo, chat: ChatInfo) -> Holders:
        """Whose budgets a question of that person in that chat counts on."""
        if chat.is_private:
            return Holders(user.id, user.role)
        return Holders(None if self._group_pays else user.id, user.role, chat.id)

    def _budgets_of(self, conn: Connection, holders: Holders) -> Sequence[Budget]:
        limits = self._limits.of(holders, budgets.limits(conn, holders.scopes))
        return read_budgets(conn, limits, milliseconds(self._clock), self._days, self._sums) if limits else ()

    def _limits_of(self, conn: Connection, scope: BudgetScope) -> Sequence[Limit]:
        if scope.kind == "role":
            return self._limits.of_role(cast("Role", scope.name), budgets.limits(conn, [scope.key]))
        if scope.kind == "user":
            user = users.get(conn, scope.id or 0)
            holders = Holders(scope.id, None if user is None else user.role, bot=False)
        else:
            holders = Holders(group_id=scope.id, bot=scope.kind == "bot")
        return self._limits.of(holders, budgets.limits(conn, holders.scopes))
