"""Sums of usage that budgets are compared with."""

from datetime import date, timedelta

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import usage
from tgllm.db.tables.usage import Used
from tgllm.services.budgets.budget_scope import BudgetScope

__all__ = ["UsageSums"]


class UsageSums:
    """Sums the usage of a scope; caches the sums of past days of the whole bot."""

    def __init__(self, *, private_only: bool) -> None:
        """Begin with an empty cache.

        Args:
            private_only: whether usage in groups does not count on the members' own budgets.
        """
        self._private_only = private_only
        self._over: tuple[str, str, Used] | None = None

    def of(self, conn: Connection, scope: BudgetScope, since: str, today: str) -> Used:
        """Return the usage of a scope.

        Args:
            conn: a connection for reading.
            scope: a person, a group or the bot.
            since: the first day of the month, or a later day if the sums of the month are not needed.
            today: the current day.
        """
        match scope.kind:
            case "user":
                return usage.used(conn, since, today, user_id=scope.id, private_only=self._private_only)
            case "group":
                return usage.used(conn, since, today, group_id=scope.id)
            case _:
                return self._of_all(conn, since, today)

    def _of_all(self, conn: Connection, since: str, today: str) -> Used:
        # Yesterday is not cached: the usage of a turn that ended at midnight may not be committed yet.
        cut = max(since, (date.fromisoformat(today) - timedelta(days=1)).isoformat())
        over, recent = self._before(conn, since, cut), usage.used(conn, cut, today)
        return Used(
            over.month_requests + recent.month_requests,
            over.month_tokens + recent.month_tokens,
            over.month_cost + recent.month_cost,
            recent.day_requests,
            recent.day_tokens,
            recent.day_cost,
        )

    def _before(self, conn: Connection, since: str, cut: str) -> Used:
        """Return the sums of the days before ``cut``, cached: with many people they are tens of thousands of rows."""
        if since == cut:
            return Used(0, 0, 0, 0, 0, 0)
        known = self._over
        if known is None or known[:2] != (since, cut):
            known = (since, cut, usage.used(conn, since, cut, before=cut))
            self._over = known
        return known[2]
