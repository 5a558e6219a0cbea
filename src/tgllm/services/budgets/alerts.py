"""Alerts that a budget is nearly or fully used up, once per level in a day or month."""

from collections.abc import Iterable

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import budgets, outbox
from tgllm.i18n import Catalogue
from tgllm.i18n.budgets import budget_words
from tgllm.services.budgets.budget import Budget
from tgllm.services.common.calendar import Days
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.turn import Turn
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.messaging.rows import plain_message

__all__ = ["BudgetAlerts"]


class BudgetAlerts:
    """Adds alerts in the transaction that stores the turn."""

    def __init__(self, texts: Catalogue, days: Days, notifier: AdminNotifier) -> None:
        """Alert people in their chat, and admins through ``notifier``."""
        self._texts = texts
        self._days = days
        self._notifier = notifier

    def tell(self, conn: Connection, turn: Turn, current: Iterable[Budget], now: int) -> None:
        """Add the alerts that are due and were not sent before.

        Args:
            conn: the transaction that stores the turn.
            turn: the turn that has ended.
            current: its budgets, with the usage of the turn.
            now: UTC, in milliseconds.
        """
        for each in current:
            level = each.level
            if level > each.told and budgets.tell(conn, *each.key, each.first_day, level):
                self._tell(conn, turn, each, now)

    def _tell(self, conn: Connection, turn: Turn, budget: Budget, now: int) -> None:
        budgets.prune(conn, self._days.month(now))
        spent = budget.level == 100
        if budget.scope.kind == "bot":
            text = self._words("budget.spent_admin" if spent else "budget.near_admin", budget, "")
            self._notifier.add(conn, text)
        elif turn.message_id is not None:
            text = self._words("budget.spent" if spent else "budget.near", budget, turn.user.language)
            # In a group, the reply shows whose budget it is.
            reply_to = None if turn.chat.is_private else turn.message_id
            outbox.add(conn, [plain_message(Lane.parse(turn.lane), text, answers=reply_to)], now)

    def _words(self, key: str, budget: Budget, language: str) -> str:
        words = budget_words(
            self._texts,
            language,
            whose=budget.scope.kind,
            measure=budget.measure,
            period=budget.period,
            used=budget.used,
            limit=budget.limit,
            until=self._days.told(budget.until),
        )
        return self._texts(key, language, **words, percent=budget.percent)
