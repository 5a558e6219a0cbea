"""Answers a question with the model of its chat or, if that does not answer, with a fallback."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from tgllm.api import BudgetExceeded, ContextTooLong, DatabaseError, FileUnreadable, ModelRef, TgllmError
from tgllm.api.clock import milliseconds
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.usage import Spent
from tgllm.observe.errors import text_of
from tgllm.observe.logs import get_logger
from tgllm.observe.metrics import table
from tgllm.services.budgets.reservation import Reservation
from tgllm.services.conversations.loader import TurnContext
from tgllm.services.conversations.turn import NextModel, Turn, TurnOutcome
from tgllm.services.models.fallbacks import ModelHealth
from tgllm.services.turns.answer import Answer
from tgllm.services.turns.attempt import Asker, Attempt, Question
from tgllm.services.turns.failures import Failure, cannot_stand_in, failure_of
from tgllm.services.turns.model_call import ModelCaller
from tgllm.services.turns.patience import RetryLimit
from tgllm.services.turns.problems import Problems
from tgllm.services.turns.report import count_usage
from tgllm.services.turns.request_record import failed_models, record_failed, record_open
from tgllm.services.turns.services import TurnServices
from tgllm.services.usage.accounting import Accounting

__all__ = ["Answered", "Failover"]

log = get_logger(__name__)

Load = Callable[[Connection, Turn, Reservation], TurnContext]
"""Reads the context of a turn, and its budgets."""


@dataclass(frozen=True, slots=True)
class Answered:
    """How the last model that was asked has ended."""

    attempt: Attempt
    outcome: TurnOutcome
    """To be stored."""
    shown: TurnOutcome
    """For the person: if no model has answered, the error is that of the chat's model."""


@dataclass(slots=True, eq=False)
class _Run:
    """The models of one question."""

    question: Question
    chosen: ModelRef
    """The model of the chat."""
    waiting: deque[ModelRef]
    """Those that were not asked yet."""
    first: Attempt | None
    """Attempt of the chosen model, whose context is loaded; None once it is used."""
    stack: ExitStack
    """Ends the reservations."""
    before: Attempt | None = None
    """The last attempt, whose answer has called tools."""
    failed: list[TurnOutcome] = field(default_factory=list[TurnOutcome])
    """Results of the models in whose place another one was asked."""
    is_again: bool = False
    """Whether the chosen model, whose retries were cut short, is asked again at the end."""


class Failover:
    """Asks the model of a chat, and its fallbacks as long as none has begun to answer."""

    def __init__(
        self,
        services: TurnServices,
        asker: Asker,
        caller: ModelCaller,
        load: Load,
        accounting: Accounting,
        most_chars: int,
        problems: Problems,
    ) -> None:
        """Create it.

        Args:
            services: services of turns.
            asker: asks one model.
            caller: calls models.
            load: reads the context of a model.
            accounting: prices and calendar.
            most_chars: maximum characters of an answer.
            problems: reports errors of providers.
        """
        self._database = services.database
        self._clock, self._budgets = services.clock, services.budgets
        self._asker, self._caller, self._load = asker, caller, load
        self._accounting, self._most_chars = accounting, most_chars
        self._problems = problems
        self._health = ModelHealth(services.clock)

    async def answer(
        self,
        question: Question,
        context: TurnContext,
        reservation: Reservation,
        stack: ExitStack,
        before: Attempt | None = None,
    ) -> Answered:
        """Answer a question. Calls in whose place another model is asked are stored at once, the last one is not.

        Args:
            question: the question.
            context: of the chat's model.
            reservation: of the same.
            stack: ends further reservations.
            before: the last attempt of the turn, whose answer has called tools: its model is asked first. None: there
                is none.

        Raises:
            DatabaseError: a call can't be stored.
        """
        models = (context.model, *context.fallbacks)
        failed: Sequence[ModelRef] = ()
        if context.fallbacks and question.turn.attempt > 1:
            failed = await self._database.read(lambda conn: failed_models(conn, question.turn))
        order = self._health.order(models, failed) if context.fallbacks else models
        if before is not None:
            last = before.context.model
            order = sorted(order, key=lambda ref: ref != last)
        first = self._first(question, context, reservation, before)
        run = _Run(question, context.model, deque(order), first, stack, before)
        attempt = await self._next(run, None, None) or first
        while True:
            failure, following = await self._ask(run, attempt), None
            has_earlier_calls = bool(run.failed) or attempt is not first or _has_rounds(question)
            outcome = replace(attempt.outcome(), has_earlier_calls=has_earlier_calls, retired=context.retired)
            if failure is not None and context.fallbacks:
                following = await self._next(run, attempt, failure)
            if failure is None or following is None:
                return Answered(attempt, outcome, self._shown(run, outcome, failure))
            await self._put_away(run, attempt, outcome, failure, following)
            attempt = following

    def _first(
        self, question: Question, context: TurnContext, reservation: Reservation, before: Attempt | None
    ) -> Attempt:
        """Return the attempt of the chosen model; prepared, if the last attempt was one of it."""
        answer = self._empty(question, context.model)
        if before is not None and before.context.model == context.model:
            return before.again(answer, reservation)
        return Attempt(question.turn, context, answer, reservation)

    async def _ask(self, run: _Run, attempt: Attempt) -> Failure | None:
        """Ask one model; return why another one may be asked, None if none may."""
        question, ref, answer = run.question, attempt.context.model, attempt.answer
        retries = RetryLimit(ref) if run.waiting else None
        is_usual = not run.failed and ref == run.chosen
        if question.handle.cause is not None:
            self._caller.cut(answer, question.handle)
        elif attempt.request is not None:
            try:
                await self._asker.ask(attempt, question, retries, lambda: self._open(run, attempt, is_usual=is_usual))
            except TgllmError as error:
                answer.fail(error)
            except TimeoutError:
                self._caller.cut(answer, question.handle)
        failure = None if question.handle.cause is not None else failure_of(answer, attempt.request)
        if isinstance(answer.error, BudgetExceeded) and ref != run.chosen:
            # What the model before has used is known by now.
            return Failure(answer.error, is_outage=False)
        if failure is None:
            # A call that was stopped or not made says nothing, unless there is an answer.
            if answer.has_content or (question.handle.cause is None and answer.request is not None):
                self._health.note_answered(ref)
        elif failure.is_outage:
            self._health.note_failed(ref, failure.wait)
            if retries is not None and retries.is_exceeded and ref == run.chosen and not run.is_again:
                run.is_again = True
                run.waiting.append(ref)
        return failure

    async def _next(self, run: _Run, before: Attempt | None, failure: Failure | None) -> Attempt | None:
        """Return the attempt of the next model that can be asked, prepared; None if there is none."""
        while run.waiting:
            ref = run.waiting.popleft()
            attempt, run.first = (run.first, None) if ref == run.chosen and run.first else (None, run.first)
            attempt = attempt or await self._loaded(run, ref)
            try:
                await self._asker.prepare(attempt, run.question)
                if ref == run.chosen:
                    return attempt
                self._asker.check_budget(attempt)
                reason = cannot_stand_in(attempt, before, failure)
            except TimeoutError:
                self._caller.cut(attempt.answer, run.question.handle)
                return attempt
            except TgllmError as error:
                if ref == run.chosen:
                    attempt.answer.fail(error)
                    return attempt
                if isinstance(error, DatabaseError):
                    raise
                reason = error.code
            if not reason:
                return attempt
            self._leave_out(run, attempt, reason)
        return None

    def _leave_out(self, run: _Run, attempt: Attempt, reason: str) -> None:
        attempt.reservation.close()
        log.info("turn.fallback_skipped", turn=run.question.turn.id, model=str(attempt.context.model), reason=reason)

    async def _loaded(self, run: _Run, ref: ModelRef) -> Attempt:
        turn = run.question.turn if ref == run.chosen else replace(run.question.turn, model=ref)
        reservation = run.stack.enter_context(self._budgets.reservation(turn))
        before = run.before
        if before is not None and before.context.model == ref:
            await self._database.read(lambda conn: reservation.load(conn, ref))
            return before.again(self._empty(run.question, ref), reservation)
        context = await self._database.read(lambda conn: self._load(conn, turn, reservation))
        return Attempt(run.question.turn, context, self._empty(run.question, ref), reservation)

    def _empty(self, question: Question, ref: ModelRef) -> Answer:
        most = self._most_chars
        if most and question.tools is not None:
            # What was said before calls of tools is part of the answer.
            most = max(1, most - len(question.tools.text))
        return Answer(ref, self._clock, most)

    async def _open(self, run: _Run, attempt: Attempt, *, is_usual: bool) -> None:
        """Store a call before it is made, unless a crash would count it for the chosen model anyway."""
        turn, context, now = run.question.turn, attempt.context, milliseconds(self._clock)
        # After a crash there may be calls that were stored, which would pass for those of this start. And if there are
        # rounds, a crash does not count a call that is not stored.
        if not is_usual or (context.fallbacks and turn.attempt > 1) or _has_rounds(run.question):
            await self._database.write(
                lambda conn: record_open(conn, turn, context.model, context.conversation_id, now)
            )
        if not is_usual:
            run.question.sink.show(NextModel(context.model))

    async def _put_away(
        self, run: _Run, attempt: Attempt, outcome: TurnOutcome, failure: Failure, following: Attempt
    ) -> None:
        """Store the call of a model that has failed, and report it."""
        if isinstance(failure.error, BudgetExceeded):
            # It was not asked.
            self._leave_out(run, attempt, failure.error.code)
            return
        outcome = replace(outcome, status="failed", error=failure.error)
        # Without a file that it can read, a model is not asked, so that there is no call.
        if not isinstance(failure.error, FileUnreadable):
            await self._store_failed(run.question.turn, attempt, outcome)
        attempt.reservation.close()
        run.failed.append(outcome)
        model, code = outcome.model, failure.error.code
        table.FAILOVERS.add(model.provider, code)
        log.warning(
            "turn.failed_over",
            turn=run.question.turn.id,
            model=str(model),
            next=str(following.context.model),
            code=code,
            error=text_of(failure.error),
        )
        await self._problems.note(attempt.info, outcome)

    async def _store_failed(self, turn: Turn, attempt: Attempt, outcome: TurnOutcome) -> None:
        now, conversation_id = milliseconds(self._clock), attempt.context.conversation_id
        spent = outcome.spent
        has_used = spent is not None and bool(spent.input_tokens or spent.output_tokens)
        alerts = self._budgets.settle(turn, attempt.reservation, spent) if has_used and spent is not None else ()

        def unit(conn: Connection) -> Spent | None:
            stored = record_failed(conn, turn, outcome, conversation_id, now, self._accounting)
            for alert in alerts:
                alert(conn)
            return stored

        count_usage(outcome.model, await self._database.write(unit))

    def _shown(self, run: _Run, outcome: TurnOutcome, failure: Failure | None) -> TurnOutcome:
        """Return the result for the person."""
        is_lost = failure is not None or isinstance(outcome.error, BudgetExceeded | ContextTooLong)
        if outcome.model == run.chosen or not is_lost:
            stands_in = outcome.model != run.chosen and not is_lost
            return replace(outcome, in_place_of=run.chosen) if stands_in else outcome
        of_chosen = [each for each in run.failed if each.model == run.chosen]
        return (of_chosen or run.failed or [outcome])[-1]


def _has_rounds(question: Question) -> bool:
    """Whether answers that call tools are stored already."""
    return question.tools is not None and bool(question.tools.rounds)
