"""The budgets of one turn: read when it begins, reserved before the model is asked, settled when it ends.

Other turns end between reading and reserving, and several are under way at once. A turn is let through if what it may
need fits beside all that is used and reserved, or if no other turn holds or has just used anything of the budget; else
it reads again, after another turn has ended. So only the last answer within a budget can go over it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tgllm.api import BudgetExceeded, ChatRequest, ModelRef, Usage
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import models
from tgllm.services.budgets.budget import Budget
from tgllm.services.budgets.ledger import Amounts, Ledger
from tgllm.services.budgets.needs import Needs, OutputBounds, measures_of, needs_of
from tgllm.services.common.calendar import Days
from tgllm.services.models.pricing import Prices, Rates

if TYPE_CHECKING:
    from tgllm.db.tables.models import Model

__all__ = ["ReadBudgets", "Reservation"]

ReadBudgets = Callable[[Connection], Sequence[Budget]]
"""Reads what is left of the budgets that a turn counts on."""


class Reservation:
    """Used as a context manager around a turn: leaving it gives back what was reserved."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        bounds: OutputBounds,
        prices: Prices,
        days: Days,
        read: ReadBudgets,
    ) -> None:
        """Begin before anything of the turn is read.

        Args:
            database: to read again where the turn had to wait.
            ledger: shared by all turns.
            bounds: how long answers can be.
            prices: of models.
            days: of the bot's time zone.
            read: the budgets that it counts on.
        """
        self._database = database
        self._ledger = ledger
        self._bounds = bounds
        self._prices = prices
        self._days = days
        self._read = read
        self._watch = ledger.watch()
        self._budgets: Sequence[Budget] = ()
        self._ref: ModelRef | None = None
        self._model: Model | None = None
        self._rates: Rates | None = None
        self._reserved: Amounts | None = None
        self._used: Amounts = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ledger.unwatch(self._watch)
        if self._reserved is not None:
            self._ledger.release(self._reserved, self._used)

    @property
    def is_limited(self) -> bool:
        """Whether any budget limits the turn."""
        return bool(self._budgets)

    def load(self, conn: Connection, ref: ModelRef) -> None:
        """Read the budgets, in the same read as all else that the turn begins with.

        Args:
            conn: to read from.
            ref: the model that will be asked.
        """
        budgets = self._read(conn)
        self._budgets = ()
        if not budgets:
            return
        self._ref, self._model = ref, models.find(conn, ref)
        self._rates = self._prices.billed(self._model, ref)
        # What costs nothing can be asked when the money is used up.
        self._budgets = [each for each in budgets if each.measure != "cost" or not self._is_free]

    async def reserve(self, request: ChatRequest, tokens: int, on_wait: Callable[[], None]) -> None:
        """Let the turn go on if its budgets allow it; waits where other turns may use up what is left.

        Args:
            request: as it will be sent.
            tokens: what it has, as far as is known of the model.
            on_wait: called before it waits.

        Raises:
            BudgetExceeded: one of them is used up, or has less left than the question needs.
        """
        if not self._budgets or self._ref is None:
            return
        needs = needs_of(tokens, self._bounds.of(self._ref, self._model, request), self._rates)
        while not self._try(needs):
            # What has been used since the sums were read may be in them or not: they have to be read again in any case.
            if not any(self._watch.used(each.key) for each in self._budgets):
                on_wait()
                await self._ledger.wait()
            await self._look_again()

    def settle(self, tokens: Usage) -> None:
        """Note what the turn has used; input and output are numbers."""
        if self._reserved is None or self._ref is None:
            return
        self._bounds.learn(self._ref, tokens.output_tokens or 0)
        measures = measures_of(tokens, self._rates)
        self._used = {each.key: measures[each.measure] for each in self._budgets}

    @property
    def has_alerts(self) -> bool:
        """Whether there may be something to tell of a budget, now that the turn is settled."""
        return any(replace(each, used=self._most_used(each)).level > each.told for each in self._budgets)

    def read(self, conn: Connection) -> Sequence[Budget]:
        """Read the budgets anew."""
        return self._read(conn)

    def _most_used(self, budget: Budget) -> int:
        """With what turns have used that are being stored just now, at most."""
        key = budget.key
        others = self._ledger.reserved(key) - (self._reserved or {}).get(key, 0)
        return self._used_by_others(budget) + others + self._used.get(key, 0)

    @property
    def _is_free(self) -> bool:
        return self._rates is not None and not (self._rates.input or self._rates.output)

    def _used_by_others(self, budget: Budget) -> int:
        """At most: a turn that ended while the sums were read may be counted twice."""
        return budget.used + self._watch.used(budget.key)

    def _try(self, needs: Needs) -> bool:
        """Reserve, if there is room; False if there may be when another turn has ended."""
        for each in self._budgets:
            if each.used >= each.limit:
                raise self._exceeded(each, None)
            if each.used + needs.question[each.measure] > each.limit:
                raise self._exceeded(each, needs.question[each.measure])
        most = {each.key: needs.most[each.measure] for each in self._budgets}
        if any(self._is_taken(each, most[each.key]) for each in self._budgets):
            return False
        self._ledger.reserve(most)
        self._reserved = most
        return True

    def _is_taken(self, budget: Budget, need: int) -> bool:
        """Whether others may leave too little; not where nobody is at it, and nobody was since it was read."""
        others = self._ledger.reserved(budget.key) + self._watch.used(budget.key)
        return others > 0 and budget.used + others + need > budget.limit

    async def _look_again(self) -> None:
        self._ledger.unwatch(self._watch)
        self._watch = self._ledger.watch()
        ref = self._ref
        if ref is not None:
            await self._database.read(lambda conn: self.load(conn, ref))

    def _exceeded(self, budget: Budget, need: int | None) -> BudgetExceeded:
        return BudgetExceeded(
            f"{budget.scope.key}: {budget.used} of {budget.limit} {budget.measure} a {budget.period}",
            whose=budget.scope.kind,
            measure=budget.measure,
            period=budget.period,
            used=budget.used,
            limit=budget.limit,
            until=self._days.told(budget.until),
            need=need,
        )
