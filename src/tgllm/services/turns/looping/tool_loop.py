"""The loop of a turn: asks the model, makes the calls of its answer, and asks again with their results."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from tgllm.api import ToolCall
from tgllm.api.clock import milliseconds
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.tools.rounds import NewRound
from tgllm.db.tables.usage import Spent
from tgllm.observe.logs import get_logger
from tgllm.services.budgets.reservation import Reservation
from tgllm.services.conversations.loader import TurnContext
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.tools.call_book import Written
from tgllm.services.tools.put_back import PutBack
from tgllm.services.tools.rounds import Round, read_rounds
from tgllm.services.tools.services import ToolServices
from tgllm.services.turns.attempt import Attempt, Question
from tgllm.services.turns.failover import Answered, Failover
from tgllm.services.turns.looping.making import Making
from tgllm.services.turns.looping.round_sink import RoundSink
from tgllm.services.turns.looping.turn_tools import TurnTools
from tgllm.services.turns.record import within_limit
from tgllm.services.turns.report import count_usage
from tgllm.services.turns.request_record import record_requests
from tgllm.services.turns.services import TurnServices
from tgllm.services.turns.token_count import NOTHING
from tgllm.services.usage.accounting import Accounting

__all__ = ["ToolLoop"]

log = get_logger(__name__)

# A turn with tools goes through these phases, once for each answer that calls tools. What a crash costs in each:
#
# asking     The model answers. As without tools, a crash costs the answer: the next start counts its input and asks
#            again. From the second request on it is stored as open before it is made, so that the right one is counted.
# storing    One transaction: the answer and its calls, the request and its usage, the cards of approvals. Before it the
#            answer is lost as above; after it the model is not asked again for it.
# calling    Each call has states of its own, see ``services/tools/call_book.py``. The turn starts again with the rounds
#            that are stored, and goes on with the calls that have no result.
# answered   The last answer is stored with the texts of all rounds, and the rounds are deleted, in one transaction. The
#            calls stay, for the audit.


class ToolLoop:
    """Answers questions with the tools that the turn may use; without any, as ``Failover`` does."""

    def __init__(
        self,
        services: TurnServices,
        tools: ToolServices,
        failover: Failover,
        accounting: Accounting,
        storage: FileStorage | None,
    ) -> None:
        """Create it.

        Args:
            services: services of turns.
            tools: services of tools.
            failover: asks the models.
            accounting: prices and calendar.
            storage: holds the files of results.
        """
        self._database, self._clock, self._budgets = services.database, services.clock, services.budgets
        self._tools = tools
        self._failover = failover
        self._accounting = accounting
        self._storage = storage

    async def answer(
        self,
        question: Question,
        context: TurnContext,
        reservation: Reservation,
        stack: ExitStack,
        tools: TurnTools,
    ) -> Answered:
        """Answer a question; see ``Failover.answer``.

        Args:
            question: the question.
            context: of the chat's model.
            reservation: of the first request.
            stack: ends further reservations.
            tools: of the turn, with the rounds that are stored already.

        Raises:
            DatabaseError: a call can't be stored.
            PutBack: the program ends, and the turn goes on after the next start.
        """
        question.tools = tools
        sink = RoundSink(question.sink, tools)
        question.sink = sink
        if tools.rounds:
            log.info("turn.resumed", turn=tools.turn.id, rounds=len(tools.rounds))
            await self._make(question, tools)
        before: Attempt | None = None
        while True:
            sink.begin_round()
            answered = await self._failover.answer(question, context, reservation, stack, before)
            calls = _calls_of(answered, question)
            if not calls:
                whole, shown = (tools.whole(each, self._storage) for each in (answered.outcome, answered.shown))
                return replace(answered, outcome=whole, shown=shown)
            await self._store(question, tools, answered, calls)
            await self._make(question, tools)
            before = answered.attempt
            reservation = await self._reservation(question, context, stack)

    async def _reservation(self, question: Question, context: TurnContext, stack: ExitStack) -> Reservation:
        reservation = stack.enter_context(self._budgets.reservation(question.turn))
        await self._database.read(lambda conn: reservation.load(conn, context.model))
        return reservation

    async def _store(self, question: Question, tools: TurnTools, answered: Answered, calls: Sequence[ToolCall]) -> None:
        """Store an answer that calls tools, with its usage and the cards of its calls."""
        turn, outcome, attempt = question.turn, answered.outcome, answered.attempt
        stored = NewRound(
            turn_id=turn.id,
            # The person's data may have been erased since the last round.
            round=1 + (tools.rounds[-1].answer.round if tools.rounds else 0),
            lane=turn.lane,
            user_id=turn.person_id,
            provider=outcome.model.provider,
            model=outcome.model.model,
            text=outcome.text,
            reasoning=outcome.reasoning,
            provider_data=within_limit(outcome.provider_data),
        )
        written, offer = Written(stored, calls, tools.left()), tools.offer
        # In a thread: the first check imports a library, and a foreign schema may take its time.
        faults = await asyncio.to_thread(self._tools.book.faults, written, offer)
        now, conversation_id = milliseconds(self._clock), attempt.context.conversation_id
        alerts = self._budgets.settle(turn, attempt.reservation, outcome.spent or NOTHING)

        def unit(conn: Connection) -> tuple[Sequence[Round], Spent | None]:
            self._tools.book.add(conn, turn, written, faults, offer, now)
            recorded = record_requests(conn, turn, outcome, (conversation_id, None), now, self._accounting)
            for alert in alerts:
                alert(conn)
            return read_rounds(conn, turn.id), recorded.spent

        if self._tools.approvals is not None:
            self._database.expect("outbox")
        rounds, spent = await self._database.write(unit)
        attempt.reservation.close()
        tools.rounds = list(rounds)
        count_usage(outcome.model, spent)
        names = sorted({call.tool for call in tools.rounds[-1].calls if call.plugin_id is not None})
        log.info(
            "turn.round", turn=turn.id, round=stored.round, model=str(outcome.model), calls=len(calls), tools=names
        )

    async def _make(self, question: Question, tools: TurnTools) -> None:
        """Make the calls of the last round that have no result yet.

        A stop ends those that run; the rest of the turn then ends as stopped, too.

        Raises:
            PutBack: the program ends meanwhile.
        """
        handle, last = question.handle, tools.rounds[-1]
        for call in last.calls:
            question.sink.show(tools.step(call))
        ids = [call.id for call in last.calls]
        try:
            async with asyncio.timeout(None) as deadline:
                with handle.interruptible(deadline):
                    await Making(self._tools, self._database, self._clock, question, tools).run(last.calls)
        except TimeoutError:
            now = milliseconds(self._clock)
            if handle.cause is None:
                raise
            if handle.cause == "shutdown":
                await self._database.write(lambda conn: self._tools.book.leave(conn, ids, now))
                raise PutBack from None
            self._database.expect("outbox")
            await self._database.write(lambda conn: self._tools.book.stop(conn, ids, now))
        found = await self._database.read(lambda conn: read_rounds(conn, question.turn.id))
        if len(found) < len(tools.rounds):
            # The person's data was erased meanwhile.
            handle.stop("person")
            return
        tools.rounds = list(found)


def _calls_of(answered: Answered, question: Question) -> Sequence[ToolCall]:
    """Return the calls of an answer that are to be made.

    None of an answer that failed, was stopped, or reached its token limit, which may have cut the arguments; and none
    of a model that was asked to make none.
    """
    outcome, answer = answered.outcome, answered.attempt.answer
    request = answer.request
    if outcome.status != "ok" or outcome.reason == "length" or question.handle.cause is not None:
        return ()
    return () if request is None or not request.tools or request.tool_choice == "none" else answer.calls
