"""Summaries of history that no longer fits the context, made after a turn by the chat's model."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tgllm.api import ChatMessage, ChatRequest, TextPart, TgllmError, TurnInfo
from tgllm.api.clock import milliseconds
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import conversations, messages, summaries
from tgllm.db.tables.summaries import Summary
from tgllm.db.tables.usage import Spent
from tgllm.observe.errors import text_of
from tgllm.observe.logs import get_logger
from tgllm.services.conversations.loader import TurnContext
from tgllm.services.conversations.request import Prepared, RequestBuilder
from tgllm.services.conversations.settings import TurnSettings
from tgllm.services.conversations.summary import Gap, cut_to_fit, gap_of, question_for
from tgllm.services.conversations.turn import Turn, TurnOutcome
from tgllm.services.turns.answer import Answer
from tgllm.services.turns.model_call import ModelCaller
from tgllm.services.turns.report import count_usage
from tgllm.services.turns.request_record import record_requests
from tgllm.services.turns.running import RunningTurn
from tgllm.services.turns.services import TurnServices
from tgllm.services.turns.token_count import NOTHING, tokens_of

__all__ = ["Summariser"]

log = get_logger(__name__)

PAUSE_SECONDS = 600.0
"""Pause after a failed summary of a conversation, since each attempt may cost money."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A summary to make."""

    turn: Turn
    """Turn of the summary; it counts as usage of the person who asked last."""
    context: TurnContext
    """Context of the turn before."""
    gap: Gap
    most: int
    """Maximum number of tokens of a request."""
    user_key: str | None


class Summariser:
    """Makes summaries in background tasks, at most one for each conversation. Closing it cancels them."""

    def __init__(
        self, services: TurnServices, settings: TurnSettings, requests: RequestBuilder, caller: ModelCaller
    ) -> None:
        """Create the summariser.

        Args:
            services: services of turns: hooks and budgets apply to summaries as to other requests.
            settings: prices and calendar.
            requests: estimates tokens, and holds the texts of prompts.
            caller: calls the model.
        """
        self._database, self._clock = services.database, services.clock
        self._host, self._budgets = services.host, services.budgets
        self._errors = services.errors
        self._requests = requests
        self._caller = caller
        self._accounting = settings.accounting
        self._most_chars = settings.most_chars
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._not_before: dict[int, float] = {}

    def begin(self, turn: Turn, context: TurnContext, prepared: Prepared) -> None:
        """Start a summary after a turn, if summaries are on in its chat and some history did not fit the context."""
        if not context.summarise:
            return
        gap = gap_of(prepared.shown, prepared.most, self._requests.estimator(context.model))
        if gap is None:
            return
        conversation_id = gap.rows[-1].conversation_id
        if conversation_id in self._tasks or self._is_paused(conversation_id):
            return
        own = replace(turn, id=f"{turn.id}:summary", attempt=1)
        wanted = Wanted(own, context, gap, prepared.most, prepared.request.user_key)
        task = asyncio.create_task(self._run(wanted), name=f"summary of conversation {conversation_id}")
        self._tasks[conversation_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(conversation_id, None))

    def _is_paused(self, conversation_id: int) -> bool:
        now = self._clock.monotonic()
        self._not_before = {each: until for each, until in self._not_before.items() if until > now}
        return conversation_id in self._not_before

    def _pause(self, wanted: Wanted) -> None:
        self._not_before[wanted.gap.rows[-1].conversation_id] = self._clock.monotonic() + PAUSE_SECONDS

    async def wait_idle(self) -> None:
        """Wait until no summary is being made."""
        await asyncio.gather(*self._tasks.values())

    async def aclose(self) -> None:
        """Cancel summaries in progress; they are made after a later turn."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, wanted: Wanted) -> None:
        """Make a summary. Errors are logged; the history is truncated instead."""
        try:
            outcome = await self._make(wanted)
        except Exception as error:  # noqa: BLE001  a plugin may raise anything, and the turn is over
            self._errors.report(error, event="summary.failed", turn=wanted.turn.id, user=wanted.turn.user.id)
            self._pause(wanted)
            return
        if outcome.error is not None:
            self._pause(wanted)
            log.warning("summary.failed", turn=wanted.turn.id, code=outcome.error.code, error=text_of(outcome.error))

    async def _make(self, wanted: Wanted) -> TurnOutcome:
        model = wanted.context.model
        answer = Answer(model, self._clock, self._most_chars)
        # Not in RunningTurns: it can't be stopped by a person, and does not block the lane.
        handle = RunningTurn(wanted.turn)
        with self._budgets.reservation(wanted.turn) as reservation:
            await self._database.read(lambda conn: reservation.load(conn, model))
            try:
                request = await self._request(wanted)
                await reservation.reserve(request, self._requests.tokens(model, request), lambda: None)
                await self._caller.ask(request, answer, lambda _event: None, handle)
            except TgllmError as error:
                answer.fail(error)
            except TimeoutError:
                self._caller.cut(answer, handle)
            outcome = answer.outcome()
            outcome = replace(outcome, spent=tokens_of(outcome, answer.request))
            alerts = self._budgets.settle(wanted.turn, reservation, outcome.spent or NOTHING)
            spent = await self._database.write(lambda conn: self._record(conn, wanted, outcome, alerts))
        count_usage(model, spent)
        return outcome

    async def _request(self, wanted: Wanted) -> ChatRequest:
        model = wanted.context.model
        question = question_for(wanted.gap, wanted.most, self._requests.texts, self._requests.estimator(model))
        messages = (ChatMessage("user", (TextPart(question),)),)
        turn = wanted.turn
        info = TurnInfo(turn.id, turn.user, turn.chat, model, question)
        return await self._host.before_request(ChatRequest(model.model, messages, user_key=wanted.user_key), info)

    def _record(self, conn: Connection, wanted: Wanted, outcome: TurnOutcome, alerts: Sequence[Unit]) -> Spent | None:
        """Store usage and summary, unless the conversation was deleted meanwhile; return the usage."""
        now, last, model = milliseconds(self._clock), wanted.gap.rows[-1], outcome.model
        if conversations.get(conn, last.conversation_id) is None:
            return None
        recorded = record_requests(conn, wanted.turn, outcome, (last.conversation_id, None), now, self._accounting)
        for unit in alerts:
            unit(conn)
        text = outcome.text.strip()
        # Retention may have deleted the summarised messages meanwhile.
        if outcome.status != "ok" or not text or messages.get(conn, last.id) is None:
            return recorded.spent
        # A longer summary would leave too little room for the messages after it.
        text = cut_to_fit(text, wanted.most // 4, self._requests.estimator(model))
        summaries.put(conn, Summary(last.conversation_id, last.id, text, model.provider, model.model, now))
        return recorded.spent
