"""One turn: from a question to a stored answer with its messages in the outbox.

The code is independent of Telegram: chats, the shell and tests run it with different sinks.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from tgllm.api import TurnInfo, TurnResult, Usage
from tgllm.api.clock import milliseconds
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import models
from tgllm.db.tables.tools import rounds as tool_rounds
from tgllm.observe.content import handling
from tgllm.observe.logs import log_values
from tgllm.observe.tracing.spans import span
from tgllm.services.budgets.reservation import Reservation
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.loader import TurnContext
from tgllm.services.conversations.request import ContextUse, RequestBuilder, RoomForQuotes
from tgllm.services.conversations.settings import TurnSettings
from tgllm.services.conversations.turn import Sink, Turn, TurnOutcome
from tgllm.services.files.attachment import Downloader
from tgllm.services.files.made import keep_made
from tgllm.services.models.in_use import forget_choice
from tgllm.services.tools.offering import NO_TOOLS
from tgllm.services.tools.rounds import Round, read_rounds
from tgllm.services.turns.answer import Answer
from tgllm.services.turns.attempt import Asker, Question, Said
from tgllm.services.turns.failover import Answered, Failover
from tgllm.services.turns.model_call import ModelCaller
from tgllm.services.turns.opening import Opening, ReadAhead
from tgllm.services.turns.problems import Problems
from tgllm.services.turns.record import record_turn
from tgllm.services.turns.report import report_begin, report_turn
from tgllm.services.turns.request_record import InterruptedCall, open_call, record_interrupted
from tgllm.services.turns.services import TurnServices
from tgllm.services.turns.summariser import Summariser
from tgllm.services.turns.token_count import NOTHING

__all__ = ["ConversationService"]


class ConversationService:
    """Runs turns, and the summaries after them. Closing it cancels the tasks that remain."""

    def __init__(self, services: TurnServices, settings: TurnSettings) -> None:
        self._services = services
        self._database, self._clock = services.database, services.clock
        self._host, self._running = services.host, services.running
        self._budgets = services.budgets
        self._may_talk = services.may_talk
        self._accounting = settings.accounting
        self._storage = settings.storage
        self._requests = RequestBuilder(services.registry, settings)
        self._caller = ModelCaller(services.registry, self._requests, settings, services.clock)
        self._problems = Problems(services, settings.accounting)
        asker = Asker(services, self._requests, self._caller)
        self._failover = Failover(
            services, asker, self._caller, self._load, settings.accounting, settings.most_chars, self._problems
        )
        self._tools = services.tools
        self._texts = settings.texts
        self._summaries = Summariser(services, settings, self._requests, self._caller)

    async def wait_idle(self) -> None:
        """Wait until no summary is being made."""
        await self._summaries.wait_idle()

    async def aclose(self) -> None:
        """Cancel summaries in progress, and streams that are still running after their timeout."""
        await self._summaries.aclose()
        await self._caller.aclose()
        if self._tools is not None:
            await self._tools.runner.aclose()

    def load(self, conn: Connection, turn: Turn) -> TurnContext:
        """Read the context of a turn, without running it."""
        return self._requests.load(conn, turn)

    def open(self, conn: Connection, turn: Turn) -> Opening:
        """Read all that a turn begins with; of the turn, its place, its person and its model count."""
        context = self._requests.load(conn, turn, to_ask=True)
        budgets = self._budgets.of_turn(conn, turn)
        model = models.find(conn, context.model) if budgets else None
        now = milliseconds(self._clock)
        may = self._may_talk(conn, turn.user.id, Lane.parse(turn.lane).access_id, now)
        if self._tools is None:
            return Opening(turn, context, budgets, model, may, NO_TOOLS)
        offer = self._tools.offering.of(conn, turn.user, turn.chat, context.tools_off, now)
        return Opening(turn, context, budgets, model, may, offer, tool_rounds.any_stored(conn))

    def measure(self, context: TurnContext) -> ContextUse:
        """Return the use of a context before the next question."""
        return self._requests.measure(context)

    def room_for_quotes(self, context: TurnContext, question: str) -> RoomForQuotes:
        """Return which messages need not be quoted in a question, and how much may be quoted."""
        return self._requests.room_for_quotes(context, question)

    def count_interrupted(self, conn: Connection, turn: Turn, now: int) -> None:
        """Count a call that was interrupted by the end of the process and not stored, with estimated input tokens.

        Args:
            conn: an open write transaction.
            turn: the question; its text is empty for a retry of an earlier one.
            now: UTC, in milliseconds.
        """
        asked = open_call(conn, turn.id)
        rounds = read_rounds(conn, turn.id)
        if rounds and asked is None:
            # The answers so far are counted, and the next request was not made yet.
            return
        context = self.load(conn, turn if asked is None else replace(turn, model=asked))
        shown = self.measure(context).used + (self._requests.estimate(context.model, turn.text) if turn.text else 0)
        told = [text for each in rounds for text in (each.answer.text, *(call.result or "" for call in each.calls))]
        shown += sum(self._requests.estimate(context.model, text) for text in told)
        call = InterruptedCall(context.model, context.conversation_id, Usage(shown, 0))
        record_interrupted(conn, turn, call, now, self._accounting)

    async def run(
        self,
        turn: Turn,
        sink: Sink,
        *units: Unit,
        asking: Callable[[], Awaitable[None]] | None = None,
        downloader: Downloader | None = None,
        ahead: ReadAhead | None = None,
    ) -> TurnOutcome:
        """Answer a question, and store the result in one transaction.

        Args:
            turn: the question.
            sink: displays the answer; its ``finish`` returns the messages to send.
            units: further units of work for the same transaction, such as marking the update as done.
            asking: awaited before the model is called.
            downloader: source of the question's attachments; None if it has none.
            ahead: what was read ahead for the turn; used if nothing was written since.

        Returns:
            The result, also if the provider failed.

        Raises:
            DatabaseError: the turn can't be stored.
        """
        said = Said(turn.text)
        with (
            log_values(turn=turn.id, chat=turn.chat.id, user=turn.user.id),
            span("turn", attributes={"tgllm.turn.id": turn.id}, turn=turn.id, begins=True),
            handling(said),
        ):
            return await self._run(turn, sink, said, units, asking, downloader, ahead)

    async def _run(
        self,
        turn: Turn,
        sink: Sink,
        said: Said,
        units: Sequence[Unit],
        asking: Callable[[], Awaitable[None]] | None,
        downloader: Downloader | None,
        ahead: ReadAhead | None,
    ) -> TurnOutcome:
        with self._running.track(turn) as handle, ExitStack() as reservations:
            reservation = reservations.enter_context(self._budgets.reservation(turn))
            with span("load context"):
                opening = self._read_ahead(turn, ahead) or await self._database.read(lambda conn: self.open(conn, turn))
            context = opening.context
            reservation.take(opening.budgets, context.model, opening.model)
            if not opening.is_approved:
                # Access was lost while the question was queued; a loss from now on stops the turn, which is tracked.
                handle.stop("person")
            report_begin(TurnInfo(turn.id, turn.user, turn.chat, context.model, turn.text))
            question = Question(turn, sink, handle, said, downloader, asking)
            began = self._clock.monotonic()
            answered = await self._answer(question, opening, reservation, reservations)
            attempt, waited = answered.attempt, self._clock.monotonic() - began - answered.outcome.seconds
            outcome = attempt.gathered.add_to(await self._with_files(answered.outcome, attempt.answer))
            await self._problems.report_broken(attempt.info, outcome)
            shown = outcome.shown_as(answered.shown)
            # Before the transaction, which stores these rows together with the answer: a crash loses both or none.
            rows = await sink.finish(shown)
            now = milliseconds(self._clock)
            alerts = self._budgets.settle(turn, attempt.reservation, outcome.spent or NOTHING)
            forgotten = () if context.retired is None else (forget_choice(turn.lane, context.retired, now),)
            # The caller's units come last: after them, only the commit can fail.
            rounds = () if question.tools is None or not question.tools.rounds else (_drop_rounds(turn.id),)
            units = (*self._requests.learnt(outcome.model, now), *alerts, *forgotten, *rounds, *units)
            # The answer is claimed by the sender in the transaction that stores it.
            self._database.expect("outbox")
            spent = await self._database.write(
                lambda conn: record_turn(conn, attempt.turn, outcome, rows, units, now, self._accounting)
            )
        # The commit has started the call that sends the answer. It leaves before what the person does not wait for.
        await self._clock.sleep(0)
        report_turn(attempt.info, outcome, spent, waited)
        with handling(lambda: [*said(), outcome.text]):
            await self._tell_plugins(attempt.info, outcome, shown)
        # What does not fit a fallback may fit the model of the chat, which would then see a summary in its place.
        if attempt.prepared is not None and outcome.status == "ok" and outcome.model == context.model:
            self._summaries.begin(attempt.turn, attempt.context, attempt.prepared)
        return shown

    async def _answer(
        self, question: Question, opening: Opening, reservation: Reservation, stack: ExitStack
    ) -> Answered:
        """Answer a question, with tools if there are any for it, or if it was begun with some before a restart."""
        turn, tools = question.turn, self._tools
        rounds: Sequence[Round] = ()
        if opening.has_rounds:
            rounds = await self._database.read(lambda conn: read_rounds(conn, turn.id))
        if tools is None or not (opening.offer.tools or rounds):
            return await self._failover.answer(question, opening.context, reservation, stack)
        from tgllm.services.turns.looping.tool_loop import ToolLoop  # noqa: PLC0415  only turns with tools need it
        from tgllm.services.turns.looping.turn_tools import TurnTools  # noqa: PLC0415  only turns with tools need it

        loop = ToolLoop(self._services, tools, self._failover, self._accounting, self._storage)
        of_turn = TurnTools(turn, opening.offer, tools.limits, self._texts, self._clock.monotonic(), [*rounds])
        return await loop.answer(question, opening.context, reservation, stack, of_turn)

    def _read_ahead(self, turn: Turn, ahead: ReadAhead | None) -> Opening | None:
        """Return what was read ahead; None if the turn would read something else.

        The turn and its reservation are registered by now, so whatever is written from now on reaches them as it does
        after a read of their own: a loss of access stops the turn, and the usage of others is collected.
        """
        if ahead is None or ahead.ended != self._database.ended or not ahead.opening.holds_for(turn):
            return None
        return ahead.opening

    def _load(self, conn: Connection, turn: Turn, reservation: Reservation) -> TurnContext:
        context = self._requests.load(conn, turn, to_ask=True)
        reservation.load(conn, context.model)
        return context

    async def _with_files(self, outcome: TurnOutcome, answer: Answer) -> TurnOutcome:
        """Return the outcome with the files of the answer, which are written to disk."""
        received = answer.made.files
        if not received:
            return outcome
        kept, lost = ((), len(received)) if self._storage is None else await keep_made(received, self._storage)
        return replace(outcome, files=kept, files_left_out=outcome.files_left_out + lost)

    async def _tell_plugins(self, info: TurnInfo, outcome: TurnOutcome, shown: TurnOutcome) -> None:
        if outcome.error is not None:
            await self._problems.warn(outcome.model, outcome.error)
        if shown.error is not None:
            await self._host.on_error(replace(info, model=shown.model), shown.error)
            return
        files = tuple(file.part for file in outcome.files)
        result = TurnResult(outcome.text, outcome.reasoning, outcome.reason, outcome.usage, files)
        await self._host.after_reply(info, result)


def _drop_rounds(turn_id: str) -> Unit:
    return lambda conn: tool_rounds.drop(conn, turn_id)
