"""Reservation of a turn: the amounts of its budgets that it may use, held until its usage is stored."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tgllm.api import BudgetExceeded, ChatRequest, ModelRef, Usage
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import models
from tgllm.services.budgets.budget import Budget
from tgllm.services.budgets.ledger import Amounts, Ledger
from tgllm.services.budgets.needs import Needs, OutputBounds, measures_of, needs_of
from tgllm.services.budgets.shared_ledger import SharedLedger
from tgllm.services.common.calendar import Days
from tgllm.services.models.pricing import Prices, Rates

if TYPE_CHECKING:
    from tgllm.db.tables.models import Model

__all__ = ["ReadBudgets", "Reservation"]

ReadBudgets = Callable[[Connection], Sequence[Budget]]
"""Reads the budgets that a turn counts on."""

# The states of a reservation, in their order: why each exists, and what a crash in it costs.
#
# watching  From the constructor on. A turn that ends after the sums were read is neither in the sums nor in the ledger.
#           The watch collects its usage, so it has to begin before the read.
# loaded    Limits and usage are known. A turn without limits stays here: it holds nothing and waits for nothing.
# waiting   Other reservations may leave too little. The turn is not refused, since most turns use less than they
#           reserve, and not let through, since then each of them could exceed the budget.
#           In these three a crash costs no money: no model was called. The next start can't know that. It counts the
#           question once by estimate (ConversationService.count_interrupted) and asks it again.
# reserved  The model is called, and its usage is not known yet; the reservation stands for it in the ledger.
#           A crash costs the call: the provider charges it, and nothing of it is stored. The next start counts it
#           without its output, which is unknown. The call of a summary is not counted: its update is done already.
# settled   The usage is known and is being committed with the answer. The reservation is held during the commit, since
#           until then no other turn can read the usage. A crash costs the same as in the state before.
# released  The usage is committed, or the turn was cancelled and nothing of it is stored. Waiting turns read again.
#           A crash costs nothing: answer, usage and alerts are one transaction.
#
# With several replicas a reservation is a row, made in the transaction that checks it and removed in the one that
# stores the usage (``shared_ledger``). A crash leaves the row until the replica's own row is removed: until then others
# may wait for a rest of the budget that is not used any more, for as long as a lease lasts.


class Reservation:
    """A context manager around a turn; its exit releases the reservation."""

    def __init__(  # noqa: PLR0913  what only servers need has defaults
        self,
        database: Database,
        ledger: Ledger,
        bounds: OutputBounds,
        prices: Prices,
        days: Days,
        read: ReadBudgets,
        *,
        shared: SharedLedger | None = None,
        turn_id: str = "",
    ) -> None:
        """Begin to watch; create it before anything of the turn is read.

        Args:
            database: for another read after a wait.
            ledger: shared by all turns.
            bounds: the longest answers of models.
            prices: of models.
            days: in the bot's time zone.
            read: reads the budgets that the turn counts on.
            shared: shared by the turns of all replicas; None where there is one process only.
            turn_id: id of the turn.
        """
        self._shared = shared
        self._id = "" if shared is None else shared.new_id(turn_id)
        self._is_released = False
        """Whether its row is removed by a transaction."""
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
        # Also after an error or a cancellation: a reservation that is never released would block its budgets for good.
        self.close()

    def close(self) -> None:
        """Release the reservation; a second call does nothing."""
        self._ledger.unwatch(self._watch)
        reserved, self._reserved = self._reserved, None
        if reserved is not None and self._shared is not None:
            if not self._is_released:
                self._shared.release_later(self._id)
        elif reserved is not None:
            self._ledger.release(reserved, self._used)

    @property
    def is_limited(self) -> bool:
        """Whether any budget limits the turn."""
        return bool(self._budgets)

    def load(self, conn: Connection, ref: ModelRef) -> None:
        """Read the budgets; part of the read that the turn begins with.

        Args:
            conn: a connection for reading.
            ref: the model of the turn.
        """
        budgets = self._read(conn)
        self.take(budgets, ref, models.find(conn, ref) if budgets else None)

    def take(self, budgets: Sequence[Budget], ref: ModelRef, model: "Model | None") -> None:
        """Take budgets that were read, and the stored row of the model if there are any."""
        self._budgets = ()
        if not budgets:
            return
        self._ref, self._model = ref, model
        self._rates = self._prices.billed(self._model, ref)
        # A free model can be used when a cost budget is used up.
        self._budgets = [each for each in budgets if each.measure != "cost" or not self._is_free]

    def check(self, tokens: int) -> None:
        """Check the budgets before the whole request is known; nothing is reserved.

        Args:
            tokens: of the part that is known.

        Raises:
            BudgetExceeded: a budget is used up, or less is left than that part needs.
        """
        self._check(needs_of(tokens, 0, self._rates))

    async def reserve(self, request: ChatRequest, tokens: int, on_wait: Callable[[], None]) -> None:
        """Reserve what the request may use; wait while running turns may use up what is left.

        Args:
            request: as it will be sent.
            tokens: its estimated number of tokens.
            on_wait: called before each wait.

        Raises:
            BudgetExceeded: a budget is used up, or less is left than the question needs.
        """
        if not self._budgets or self._ref is None:
            return
        needs = needs_of(tokens, self._bounds.of(self._ref, self._model, request), self._rates)
        if self._shared is not None:
            await self._reserve_shared(self._shared, self._ref, needs, on_wait)
            return
        while not self._try_reserve(needs):
            # If a turn has ended since the read, the sums are old. Then read at once: no other turn may be left that
            # would end the wait. Nothing is awaited between the attempt and the wait, so no release is missed.
            if not any(self._watch.used(each.key) for each in self._budgets):
                on_wait()
                await self._ledger.wait()
            await self._reload()

    async def _reserve_shared(
        self, shared: SharedLedger, ref: ModelRef, needs: Needs, on_wait: Callable[[], None]
    ) -> None:
        """Reserve where other replicas have reservations too: each attempt is a transaction.

        Raises:
            BudgetExceeded: as ``reserve``.
        """

        def attempt(conn: Connection) -> Amounts | None:
            self.load(conn, ref)
            self._check(needs)
            most = {each.key: needs.most[each.measure] for each in self._budgets}
            others = shared.reserved(conn, most)
            if any(self._exceeds(each, others[each.key], most[each.key]) for each in self._budgets):
                return None
            shared.reserve(conn, self._id, most)
            return most

        def reserved(most: Amounts | None) -> None:
            self._reserved = most

        while True:
            released = shared.next_release()
            # ``then`` also runs if this turn is cancelled meanwhile: its row is removed then.
            if await self._database.write(attempt, durable=False, then=reserved) is not None:
                return
            on_wait()
            await released.wait()

    def settle(self, tokens: Usage) -> Sequence[Unit]:
        """Set the usage of the turn; its input and output tokens are not None.

        Returns:
            Units for the transaction that stores the usage.
        """
        if self._reserved is None or self._ref is None:
            return ()
        self._bounds.learn(self._ref, tokens.output_tokens or 0)
        measures = measures_of(tokens, self._rates)
        self._used = {each.key: measures[each.measure] for each in self._budgets}
        if self._shared is None:
            return ()
        self._is_released = True
        return [self._shared.release(self._id)]

    @property
    def may_alert(self) -> bool:
        """Whether a budget may have reached an alert level; valid after ``settle``.

        An upper bound from memory: it saves most turns a second read of the sums. The memory knows nothing of other
        replicas.
        """
        if self._shared is not None:
            return self.is_limited
        return any(replace(each, used=self._most_used(each)).level > each.told for each in self._budgets)

    def read(self, conn: Connection) -> Sequence[Budget]:
        """Read the budgets again."""
        return self._read(conn)

    def _most_used(self, budget: Budget) -> int:
        """Return the highest usage that the database may hold once this turn is stored."""
        # Usage of another turn may be committed while its reservation is still held, so all of them are added.
        others = self._ledger.reserved(budget.key) - (self._reserved or {}).get(budget.key, 0)
        return budget.used + self._watch.used(budget.key) + others + self._used.get(budget.key, 0)

    @property
    def _is_free(self) -> bool:
        return self._rates is not None and not (self._rates.input or self._rates.output)

    def _check(self, needs: Needs) -> None:
        for each in self._budgets:
            # Compared with stored usage only: a reservation may turn out smaller, so it never refuses a turn.
            if each.used >= each.limit:
                raise self._exceeded(each, None)
            if each.used + needs.question[each.measure] > each.limit:
                raise self._exceeded(each, needs.question[each.measure])

    def _try_reserve(self, needs: Needs) -> bool:
        """Add the reservation if it fits; return False if it may fit after another turn has ended."""
        self._check(needs)
        most = {each.key: needs.most[each.measure] for each in self._budgets}
        if any(self._is_taken(each, most[each.key]) for each in self._budgets):
            return False
        # From the checks to here nothing is awaited, so two turns can't take the same rest.
        self._ledger.reserve(most)
        self._reserved = most
        return True

    def _is_taken(self, budget: Budget, need: int) -> bool:
        """Whether other turns may leave less than the turn needs."""
        # Usage that the watch has collected may be in the sums as well. Counted twice, it causes another read at worst.
        return self._exceeds(budget, self._ledger.reserved(budget.key) + self._watch.used(budget.key), need)

    @staticmethod
    def _exceeds(budget: Budget, others: int, need: int) -> bool:
        # A turn alone is let through even if its longest answer does not fit: otherwise a budget smaller than the
        # longest answer could never be used. So one answer may exceed a budget, and only the last one.
        return others > 0 and budget.used + others + need > budget.limit

    async def _reload(self) -> None:
        """Read the budgets again, under a new watch that begins before the read."""
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
