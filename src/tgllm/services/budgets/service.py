"""Service for budgets: reservations of turns, reports, and changes by admins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from tgllm.api import ChatInfo, Role, Usage, UserInfo
from tgllm.api.clock import Clock, milliseconds
from tgllm.config.sections.budgets import BudgetsSection, GroupsSection
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import budgets, users
from tgllm.db.tables.usage import NO_USER
from tgllm.i18n import Catalogue
from tgllm.services.budgets.admin_changes import BudgetChange, BudgetEditor
from tgllm.services.budgets.alerts import BudgetAlerts
from tgllm.services.budgets.budget import Budget, read_budgets
from tgllm.services.budgets.budget_scope import BudgetScope
from tgllm.services.budgets.change_recipients import ChangeNotices
from tgllm.services.budgets.ledger import Ledger
from tgllm.services.budgets.limits import Holders, Limit, Limits
from tgllm.services.budgets.needs import OutputBounds
from tgllm.services.budgets.reservation import Reservation
from tgllm.services.budgets.shared_ledger import SharedLedger
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
    """The limits with their usage; empty for a role, since each of its people has a budget of their own."""


class BudgetService:
    """Makes reservations for turns, reports budgets, and changes them.

    Methods that take a connection are part of a larger read or transaction.
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
        """Create the service.

        Args:
            database: holds usage and budgets.
            clock: the time.
            accounting: prices and calendar.
            texts: the text catalogue.
            notifier: notifies the admins.
            settings: the limits of the configuration.
            groups: the settings that say on whose budget usage in groups counts.
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
        holder = database.member_id
        self.shared = None if holder is None else SharedLedger(database, holder, clock)
        """The reservations of all replicas; None where there is one process only."""
        self._bounds = OutputBounds()

    def reservation(self, turn: Turn) -> Reservation:
        """Create the reservation of a turn; call it before anything of the turn is read."""
        return Reservation(
            self._database,
            self._ledger,
            self._bounds,
            self._prices,
            self._days,
            lambda conn: self.of_turn(conn, turn),
            shared=self.shared,
            turn_id=turn.id,
        )

    def of_turn(self, conn: Connection, turn: Turn) -> Sequence[Budget]:
        """Return the budgets that a turn counts on, for its reservation."""
        return self._budgets_of(conn, self._holders(turn.user, turn.chat))

    def settle(self, turn: Turn, reservation: Reservation, tokens: Usage) -> Sequence[Unit]:
        """Settle a reservation with the usage of the turn.

        Args:
            turn: the turn that has ended.
            reservation: of its budgets.
            tokens: its usage; input and output are not None.

        Returns:
            Units that add the alerts that are due, and release what is shared with other replicas; to run in the
            transaction that stores the turn, after its usage.
        """
        units = reservation.settle(tokens)
        if not reservation.may_alert:
            return units
        now = milliseconds(self._clock)
        return [*units, lambda conn: self._alerts.tell(conn, turn, reservation.read(conn), now)]

    def of_person(self, conn: Connection, user: UserInfo, chat: ChatInfo | None = None) -> Sequence[Budget]:
        """Return the budgets of a person and of a group chat, without that of the bot."""
        group_id = chat.id if chat is not None and chat.is_group else None
        return self._budgets_of(conn, Holders(user.id, user.role, group_id, bot=False))

    def report(self, conn: Connection, scope: BudgetScope) -> ScopeReport:
        """Return the budgets of one scope."""
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
        """Change the budgets of a scope, all or nothing, and notify those concerned.

        See ``permissions`` for who may, and ``ChangeNotices`` for who is notified.

        Args:
            conn: an open write transaction.
            scope: whose budget.
            changes: the changes, in their order.
            actor: who makes them.
            shown_in: id of the chat that shows the result anyway.

        Raises:
            AccessError: the actor may not, or the user id is unknown.
            BudgetError: there is no such limit, an amount is invalid, or roles can't have this change.
        """
        now = milliseconds(self._clock)
        editor = BudgetEditor(conn, scope, actor, now, self._days)
        person, before = editor.check(), self._limits_of(conn, scope)
        for change in changes:
            editor.make(change, self._limits_of(conn, scope), self._sums)
        limits = before, self._limits_of(conn, scope)
        notices = ChangeNotices(conn, self._texts, self._notifier, scope, actor, changes, limits, now)
        notices.send(person, shown_in)

    def _holders(self, user: UserInfo, chat: ChatInfo) -> Holders:
        """Return whose budgets a question in this chat counts on."""
        if user.id == NO_USER:
            # The shell: what it costs is the bot's, and no person's.
            return Holders()
        if not chat.is_group:
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
