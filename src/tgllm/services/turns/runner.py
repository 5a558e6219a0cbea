"""One turn: from a question to a stored answer with its messages in the outbox.

The code is independent of Telegram: chats, the shell and tests run it with different sinks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace

from tgllm.api import (
    BadResponse,
    ChatRequest,
    DatabaseError,
    ModelRef,
    ProviderError,
    TextPart,
    TgllmError,
    TurnInfo,
    TurnResult,
    Unavailable,
    Usage,
    Waiting,
)
from tgllm.api.clock import milliseconds
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import models
from tgllm.db.tables.usage import Spent
from tgllm.observe.content import handling
from tgllm.observe.logs import log_values
from tgllm.observe.tracing.spans import span
from tgllm.services.budgets.reservation import Reservation
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.loader import TurnContext
from tgllm.services.conversations.request import ContextUse, Prepared, RequestBuilder, RoomForQuotes
from tgllm.services.conversations.settings import TurnSettings
from tgllm.services.conversations.turn import Sink, Turn, TurnOutcome
from tgllm.services.conversations.user_key import make_secret
from tgllm.services.files.attachment import Downloader
from tgllm.services.files.gathering.materials import Materials
from tgllm.services.files.made import keep_made
from tgllm.services.models.in_use import forget_choice
from tgllm.services.turns.answer import Answer
from tgllm.services.turns.model_call import ModelCaller
from tgllm.services.turns.opening import Opening, ReadAhead
from tgllm.services.turns.question_files import NO_FILES, QuestionFiles, check_usable
from tgllm.services.turns.record import record_turn
from tgllm.services.turns.report import PROVIDER_BROKEN, report_begin, report_turn, turn_fields
from tgllm.services.turns.request_record import InterruptedCall, record_interrupted, spent_of
from tgllm.services.turns.running import RunningTurn
from tgllm.services.turns.services import TurnServices
from tgllm.services.turns.shorter_request import ShorterRequest
from tgllm.services.turns.summariser import Summariser
from tgllm.services.turns.token_count import NOTHING, tokens_of

__all__ = ["ConversationService"]


class ConversationService:
    """Runs turns, and the summaries after them. Closing it cancels the tasks that remain."""

    def __init__(self, services: TurnServices, settings: TurnSettings) -> None:
        self._database, self._clock = services.database, services.clock
        self._host, self._running = services.host, services.running
        self._budgets, self._account_alerts = services.budgets, services.account_alerts
        self._may_talk = services.may_talk
        self._errors = services.errors
        self._accounting = settings.accounting
        self._most_chars = settings.most_chars
        self._data_dir = settings.data_dir
        self._requests = RequestBuilder(services.registry, settings)
        self._caller = ModelCaller(services.registry, self._requests, settings, services.clock)
        self._files = QuestionFiles(services.files, services.database, self._requests)
        self._summaries = Summariser(services, settings, self._requests, self._caller)

    async def wait_idle(self) -> None:
        """Wait until no summary is being made."""
        await self._summaries.wait_idle()

    async def aclose(self) -> None:
        """Cancel summaries in progress, and streams that are still running after their timeout."""
        await self._summaries.aclose()
        await self._caller.aclose()

    def load(self, conn: Connection, turn: Turn) -> TurnContext:
        """Read the context of a turn, without running it."""
        return self._requests.load(conn, turn)

    def open(self, conn: Connection, turn: Turn) -> Opening:
        """Read all that a turn begins with; of the turn, its place, its person and its model count."""
        context = self._requests.load(conn, turn, to_ask=True)
        budgets = self._budgets.of_turn(conn, turn)
        model = models.find(conn, context.model) if budgets else None
        may = self._may_talk(conn, turn.user.id, Lane.parse(turn.lane).access_id, milliseconds(self._clock))
        return Opening(turn, context, budgets, model, may)

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
        context = self.load(conn, turn)
        shown = self.measure(context).used + (self._requests.estimate(context.model, turn.text) if turn.text else 0)
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
        said = _Said(turn.text)
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
        said: "_Said",
        units: Sequence[Unit],
        asking: Callable[[], Awaitable[None]] | None,
        downloader: Downloader | None,
        ahead: ReadAhead | None,
    ) -> TurnOutcome:
        with self._running.track(turn) as handle, self._budgets.reservation(turn) as reservation:
            with span("load context"):
                opening = self._read_ahead(turn, ahead) or await self._database.read(lambda conn: self.open(conn, turn))
            context = opening.context
            reservation.take(opening.budgets, context.model, opening.model)
            if not opening.is_approved:
                # Access was lost while the question was queued; a loss from now on stops the turn, which is tracked.
                handle.stop("person")
            answer = Answer(context.model, self._clock, self._most_chars)
            info = TurnInfo(turn.id, turn.user, turn.chat, answer.model, turn.text)
            report_begin(info)
            prepared, gathered = None, NO_FILES
            try:
                if turn.attachments:
                    # Before anything is downloaded.
                    reservation.check(self._requests.estimate(context.model, turn.text))
                with span("read files") if turn.attachments or turn.file_ids else nullcontext():
                    received = await self._files.receive(turn, downloader, sink.show, handle)
                    gathered = await self._files.gather(turn, context, received, sink.show, handle)
                turn = gathered.question(turn)
                info = replace(info, text=turn.text)
                check_usable(turn, gathered)
                prepared = await self._prepare(turn, context, gathered.materials)
                request = await self._host.before_request(prepared.request, info)
                said.request = request
                await self._reserve(reservation, request, answer.model, sink, handle)
                if asking is not None:
                    await asking()
                shorter = ShorterRequest(
                    self._files, turn, context, received, gathered, prepared.summary, sink.show, handle
                )
                await self._caller.ask(request, answer, sink.show, handle, shorter.make)
                gathered = shorter.gathered
            except TgllmError as error:
                answer.fail(error)
            except TimeoutError:
                self._caller.cut(answer, handle)
            outcome = gathered.add_to(await self._with_files(self._outcome(answer, context), answer))
            await self._report_broken(info, outcome)
            # Before the transaction, which stores these rows together with the answer: a crash loses both or none.
            rows = await sink.finish(outcome)
            now = milliseconds(self._clock)
            alerts = self._budgets.settle(turn, reservation, outcome.spent or NOTHING)
            forgotten = () if context.retired is None else (forget_choice(turn.lane, context.retired, now),)
            # The caller's units come last: after them, only the commit can fail.
            units = (*self._requests.learnt(answer.model, now), *alerts, *forgotten, *units)
            # The answer is claimed by the sender in the transaction that stores it.
            self._database.expect("outbox")
            spent = await self._database.write(
                lambda conn: record_turn(conn, turn, outcome, rows, units, now, self._accounting)
            )
        # The commit has started the call that sends the answer. It leaves before what the person does not wait for.
        await self._clock.sleep(0)
        report_turn(info, outcome, spent)
        with handling(lambda: [*said(), outcome.text]):
            await self._tell_plugins(info, outcome)
        if prepared is not None and outcome.status == "ok":
            self._summaries.begin(turn, context, prepared)
        return outcome

    def _read_ahead(self, turn: Turn, ahead: ReadAhead | None) -> Opening | None:
        """Return what was read ahead; None if the turn would read something else.

        The turn and its reservation are registered by now, so whatever is written from now on reaches them as it does
        after a read of their own: a loss of access stops the turn, and the usage of others is collected.
        """
        if ahead is None or ahead.ended != self._database.ended or not ahead.opening.holds_for(turn):
            return None
        return ahead.opening

    async def _reserve(
        self, reservation: Reservation, request: ChatRequest, model: ModelRef, sink: Sink, handle: RunningTurn
    ) -> None:
        """Reserve the request in the budgets; wait while reservations of other turns leave no room.

        Raises:
            BudgetExceeded: a budget is exhausted.
            TimeoutError: the turn was stopped meanwhile.
        """
        if not reservation.is_limited:
            return
        async with asyncio.timeout(None) as deadline:
            with handle.interruptible(deadline):
                tokens = self._requests.tokens(model, request)
                await reservation.reserve(request, tokens, lambda: sink.show(Waiting("queue")))

    def _outcome(self, answer: Answer, context: TurnContext) -> TurnOutcome:
        outcome = answer.outcome()
        spent = tokens_of(outcome, answer.request)
        return replace(outcome, spent=spent, retired=context.retired, look=context.look)

    async def _with_files(self, outcome: TurnOutcome, answer: Answer) -> TurnOutcome:
        """Return the outcome with the files of the answer, which are written to disk."""
        received = answer.made.files
        if not received:
            return outcome
        kept, lost = ((), len(received)) if self._data_dir is None else await keep_made(received, self._data_dir)
        return replace(outcome, files=kept, files_left_out=outcome.files_left_out + lost)

    async def _prepare(self, turn: Turn, context: TurnContext, materials: Materials) -> Prepared:
        secret = context.secret
        if secret is None:
            now = milliseconds(self._clock)
            secret = await self._database.write(lambda conn: make_secret(conn, now))
        return self._requests.prepare(turn, context, secret, materials)

    async def _report_broken(self, info: TurnInfo, outcome: TurnOutcome) -> None:
        """Report the error of a turn that is a mistake in a provider; its text then has the code."""
        error = outcome.error
        if error is None or error.code != PROVIDER_BROKEN:
            return
        fields = turn_fields(info, outcome, await self._spent(outcome)) | {"user": info.user.id, "code": error.code}
        cause, plugin = error.__cause__ or error, self._plugin_of(outcome.model)
        code = self._errors.report(cause, event="turn.crashed", plugin=plugin, **fields)
        # A plugin's own class may have parameters that can't be set.
        with suppress(AttributeError):
            error.params = {**error.params, "error_id": code}
        # Before the person reads the code.
        await self._errors.settle()

    async def _spent(self, outcome: TurnOutcome) -> Spent | None:
        """Return what the turn will have cost once it is stored; None if that can't be read."""
        with suppress(DatabaseError):
            return await self._database.read(lambda conn: spent_of(conn, outcome, self._accounting))
        return None

    def _note_failing(self, model: ModelRef, error: TgllmError) -> None:
        if error.code != PROVIDER_BROKEN:
            self._errors.warn(error, event="turn.failed", plugin=self._plugin_of(model))

    def _plugin_of(self, model: ModelRef) -> str | None:
        return next((owned.plugin_id for owned in self._host.providers if owned.spec.id == model.provider), None)

    async def _tell_plugins(self, info: TurnInfo, outcome: TurnOutcome) -> None:
        if outcome.error is not None:
            if isinstance(outcome.error, BadResponse | Unavailable) or type(outcome.error) is ProviderError:
                self._note_failing(info.model, outcome.error)
            if self._account_alerts is not None:
                await self._account_alerts.note(info.model.provider, outcome.error)
            await self._host.on_error(info, outcome.error)
            return
        files = tuple(file.part for file in outcome.files)
        result = TurnResult(outcome.text, outcome.reasoning, outcome.reason, outcome.usage, files)
        await self._host.after_reply(info, result)


@dataclass(slots=True, eq=False)
class _Said:
    """The texts of a turn, which are listed only if something fails."""

    question: str
    request: ChatRequest | None = None

    def __call__(self) -> Iterator[str]:
        """Yield the question, and the texts of the request, the latest first."""
        yield self.question
        for message in reversed(self.request.messages if self.request else ()):
            yield from (part.text for part in message.parts if isinstance(part, TextPart))
