"""One turn: from a question to an answer that is stored and on its way.

There is no Telegram in here: a chat, the shell and the tests run the same code with sinks of their own.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.api import (
    ChatMessage,
    ChatRequest,
    ModelRef,
    ProviderError,
    StreamEvent,
    TextPart,
    TgllmError,
    TurnInfo,
    TurnResult,
    Unavailable,
)
from tgllm.api.clock import Clock, milliseconds
from tgllm.db import conversations
from tgllm.db import messages as stored
from tgllm.db.database import Database
from tgllm.db.unit import Connection, Unit
from tgllm.observe.logs import get_logger
from tgllm.plugins.host import PluginHost
from tgllm.plugins.outcome import Raised, Returned, explain
from tgllm.services.answer import Answer
from tgllm.services.context import estimate_tokens, fit_history, to_chat_message
from tgllm.services.record import record_turn
from tgllm.services.registry import ProviderRegistry
from tgllm.services.running import RunningTurn, RunningTurns
from tgllm.services.streams import Streams
from tgllm.services.turn import Sink, Turn, TurnOutcome

__all__ = ["ConversationService", "TurnSettings"]

log = get_logger(__name__)

MOST_MESSAGES = 400
"""Messages of history that are read at most, whatever the budget of tokens."""


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """What the operator sets for all turns."""

    default_model: str
    system_prompt: str | None
    context_tokens: int
    """Tokens of history at most."""
    idle_seconds: float
    """A provider that sends nothing for so long is given up."""
    close_seconds: float = 2.0
    """A stream that has ended or was cut, and does not close in that time, is left alone."""


class ConversationService:
    """Runs turns."""

    def __init__(
        self,
        database: Database,
        registry: ProviderRegistry,
        host: PluginHost,
        running: RunningTurns,
        clock: Clock,
        settings: TurnSettings,
    ) -> None:
        """Put the parts together."""
        self._database = database
        self._registry = registry
        self._host = host
        self._running = running
        self._clock = clock
        self._settings = settings
        self._streams = Streams(settings.close_seconds)

    async def aclose(self) -> None:
        """End what still runs of answers that were given up."""
        await self._streams.aclose()

    async def run(self, turn: Turn, sink: Sink, *units: Unit) -> TurnOutcome:
        """Answer a question, and store all that comes of it in one transaction.

        Args:
            turn: the question.
            sink: where the answer is shown; its ``finish`` gives the messages to send.
            units: what else belongs into the same transaction, such as marking the update as done.

        Returns:
            How it ended; a provider's failure is an outcome too.

        Raises:
            DatabaseError: nothing of the turn could be stored.
        """
        with self._running.track(turn.id, turn.lane, turn.user.id) as handle:
            conversation, history = await self._database.read(lambda conn: _load(conn, turn.lane))
            answer = Answer(self._chosen(conversation), self._clock)
            info = TurnInfo(turn.id, turn.user, turn.chat, answer.model, turn.text)
            try:
                request = self._request(turn, answer.model, history)
                request = await self._host.before_request(request, info)
                await self._generate(request, answer, sink, handle)
            except TgllmError as error:
                answer.fail(error)
            except TimeoutError:
                self._cut(answer, handle)
            outcome = answer.outcome()
            rows = await sink.finish(outcome)
            now = milliseconds(self._clock)
            await self._database.write(lambda conn: record_turn(conn, turn, outcome, rows, units, now))
        await self._tell_plugins(info, outcome)
        return outcome

    async def _generate(self, request: ChatRequest, answer: Answer, sink: Sink, handle: RunningTurn) -> None:
        """Pump the provider's events into the answer and the sink.

        Raises:
            TimeoutError: the provider was silent for too long, or the turn was stopped.
            TgllmError: it failed.
        """
        idle = self._settings.idle_seconds

        def take(event: StreamEvent) -> None:
            handle.extend(idle)
            answer.add(event)
            sink.show(event)

        async with asyncio.timeout(idle) as deadline:
            with handle.interruptible(deadline):
                provider = await self._registry.provider(answer.model.provider)
                played = await self._streams.play(lambda: provider.generate(request), take)
        match played:
            case Raised(TgllmError() as error):
                raise error
            case Raised(error):
                raise _broken(answer.model, error) from error
            case Returned(finished) if not finished:
                raise ProviderError(f"{answer.model} ended without a Finished event", code="bad_response")
            case _:
                pass

    def _cut(self, answer: Answer, handle: RunningTurn) -> None:
        """Say why a turn ended before its answer did."""
        match handle.cause:
            case "person":
                answer.stop("stopped")
            case "shutdown":
                answer.stop("interrupted")
            case None:
                seconds = self._settings.idle_seconds
                answer.fail(Unavailable(f"{answer.model} was silent for {seconds:g} s", code="idle", seconds=seconds))

    def _chosen(self, conversation: conversations.Conversation | None) -> ModelRef:
        chosen = conversation.chosen if conversation is not None else None
        if chosen is not None:
            return chosen
        return self._registry.canonical(ModelRef.parse(self._settings.default_model))

    def _request(self, turn: Turn, model: ModelRef, history: Sequence[stored.Message]) -> ChatRequest:
        question = ChatMessage("user", (TextPart(turn.text),))
        system = self._settings.system_prompt
        budget = self._settings.context_tokens - estimate_tokens(turn.text) - estimate_tokens(system or "")
        past = tuple(to_chat_message(message, model) for message in fit_history(history, budget))
        return ChatRequest(model=model.model, messages=(*past, question), system=system)

    async def _tell_plugins(self, info: TurnInfo, outcome: TurnOutcome) -> None:
        if outcome.error is not None:
            log.warning(
                "turn.failed", turn=info.id, model=str(info.model), code=outcome.error.code, error=str(outcome.error)
            )
            await self._host.on_error(info, outcome.error)
            return
        log.info(
            "turn.answered",
            turn=info.id,
            model=str(info.model),
            status=outcome.status,
            seconds=round(outcome.seconds, 3),
        )
        await self._host.after_reply(info, TurnResult(outcome.text, outcome.reasoning, outcome.reason, outcome.usage))


def _load(conn: Connection, lane: str) -> tuple[conversations.Conversation | None, Sequence[stored.Message]]:
    conversation = conversations.active_in(conn, lane)
    if conversation is None:
        return None, ()
    return conversation, stored.history(conn, conversation.id, conversation.head_message_id, MOST_MESSAGES)


def _broken(model: ModelRef, error: BaseException) -> ProviderError:
    """An error that a provider should not have raised; it is told like one of the contract's."""
    words = f"{model} raised {explain(error)}"
    if isinstance(error, TimeoutError | OSError):
        return Unavailable(words)
    return ProviderError(words, code="provider_broken", provider=model.provider)
