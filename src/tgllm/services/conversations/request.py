"""Building of requests to models, with as much history as fits, and calibration of token estimates."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tgllm.api import ChatMessage, ChatRequest, ContextTooLong, ModelRef, TextPart, ToolDefinition, Usage
from tgllm.db.engine.unit import Connection, Unit
from tgllm.providers.attachments import has_files
from tgllm.providers.tokens import Calibration, estimate_request, estimate_tool
from tgllm.services.chats.facts import facts_told
from tgllm.services.chats.settings import ReasoningDisplay, settings_of
from tgllm.services.conversations.calibration import has_moved, keep_factor
from tgllm.services.conversations.history import (
    Estimator,
    Shown,
    begin_with,
    budget_of,
    estimate_tokens,
    show,
    step_of,
    to_chat_message,
    with_items,
)
from tgllm.services.conversations.loader import ContextLoader, TurnContext, conversation_of
from tgllm.services.conversations.settings import TurnSettings
from tgllm.services.conversations.turn import Turn
from tgllm.services.conversations.user_key import user_key
from tgllm.services.files.gathering.materials import NOTHING, Materials
from tgllm.services.files.gathering.taking import likely_tokens
from tgllm.services.models.registry import ProviderRegistry

__all__ = ["ContextUse", "Prepared", "RequestBuilder", "RoomForQuotes", "reasoning_display"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request, and the part of the conversation that it contains."""

    request: ChatRequest
    shown: Shown
    most: int
    """Maximum number of tokens of the request."""
    summary: TextPart | None
    """Summary of older messages at the beginning of the request."""


@dataclass(frozen=True, slots=True)
class ContextUse:
    """Use of a chat's context before the next question, in tokens."""

    used: int
    most: int
    room: int | None
    """Maximum input tokens of the model, see ``room_in``; None if unknown."""


@dataclass(frozen=True, slots=True)
class RoomForQuotes:
    """What the request of a question contains besides it, and what may be added to the question."""

    shown: Collection[int]
    """Telegram ids of the messages that the request contains as a whole, and of an answer whose end it contains."""
    latest: Sequence[int]
    """Telegram ids of the messages of the answer that the question follows, if the request contains it."""
    fits: Callable[[str], bool]
    """Returns whether a question of that text does not exceed the context, without any history."""


class RequestBuilder:
    """Builds requests, and calibrates the token estimates of each model by the counts of its provider."""

    def __init__(self, registry: ProviderRegistry, settings: TurnSettings) -> None:
        """Use the settings for all turns; ``registry`` resolves aliases of providers."""
        self._loader = ContextLoader(registry, settings)
        self._tokens = settings.context_tokens
        self._file_share = settings.file_share
        self.texts = settings.texts
        """Texts that the bot adds to requests."""
        self._calibration = Calibration()
        self._stored: dict[ModelRef, float | None] = {}
        """Stored calibration factors of the models that were loaded."""

    def load(self, conn: Connection, turn: Turn, *, to_ask: bool = False) -> TurnContext:
        """Read the context of a turn; with ``to_ask`` for a request only, see ``ContextLoader.load``."""
        return self._loader.load(conn, turn, self._factor_of, to_ask=to_ask)

    def _factor_of(self, model: ModelRef) -> float | None:
        """Return the calibration factor of a model; None before the stored one is loaded."""
        return self._calibration.factor(model) if model in self._stored else None

    def build(self, turn: Turn, context: TurnContext, secret: str) -> ChatRequest:
        """Return the request of a turn without files; see ``prepare``."""
        return self.prepare(turn, context, secret).request

    def room_for_files(self, turn: Turn, context: TurnContext) -> int:
        """Return how many tokens the files of a request may take: a share of the context, or less.

        Raises:
            ContextTooLong: question and system prompt alone exceed the context size.
        """
        _, needed, most = self._needed(turn, context)
        return min(round(most * self._file_share), most - needed)

    def prepare(
        self,
        turn: Turn,
        context: TurnContext,
        secret: str,
        materials: Materials = NOTHING,
        tools: tuple[ToolDefinition, ...] = (),
    ) -> Prepared:
        """Build the request of a turn, with as much of the history as fits.

        Args:
            turn: the question.
            context: the state of its chat.
            secret: for ``user_key``.
            materials: the parts that are made of files.
            tools: what the model may call.

        Raises:
            ContextTooLong: question and system prompt alone exceed the context size.
        """
        system, needed, most = self._needed(turn, context)
        described = self._calibration.estimate(context.model, sum(map(estimate_tool, tools)))
        shown = self._shown(context, max(0, most - needed - materials.tokens - described))
        notes = [*(["prompt.documents"] if materials.has_content else ()), *(["prompt.tools"] if tools else ())]
        if notes:
            system = "\n\n".join(piece for piece in (system, *map(self.texts, notes)) if piece)
        request = ChatRequest(
            model=context.model.model,
            messages=self._messages(shown, context, turn.text, materials),
            system=system or None,
            temperature=context.temperature,
            reasoning_effort=context.reasoning_effort,
            user_key=user_key(secret, turn.user.id),
            tools=tools,
        )
        return Prepared(request, shown, most, self._summary(shown))

    def _needed(self, turn: Turn, context: TurnContext) -> tuple[str, int, int]:
        """Return the system prompt, the tokens that it takes with the question, and the maximum of the request.

        Raises:
            ContextTooLong: the maximum is exceeded.
        """
        system, most = self._frame(context)
        needed = sum(self.estimate(context.model, text) for text in (turn.text, system) if text)
        if needed > most:
            raise ContextTooLong(
                f"the question takes about {needed} of {most} tokens",
                code="question_too_long",
                count=needed,
                limit=most,
            )
        return system, needed, most

    def measure(self, context: TurnContext) -> ContextUse:
        """Return the use of a context before the next question."""
        system, most = self._frame(context)
        told = self.estimate(context.model, system) if system else 0
        told += min(round(most * self._file_share), likely_tokens(context.files.values(), context.mime_types))
        past = self._messages(self._shown(context, max(0, most - told)), context, "")
        return ContextUse(
            told + sum(self.estimate(context.model, message.text) for message in past if message.text),
            most,
            context.room,
        )

    def room_for_quotes(self, context: TurnContext, question: str) -> RoomForQuotes:
        """Return which messages need not be quoted in a question, and how much may be quoted."""
        system, most = self._frame(context)
        model = context.model
        left = most - (self.estimate(model, system) if system else 0)
        messages = self._shown(context, left - self.estimate(model, question)).messages
        # The end of an answer that is too long is a copy.
        whole = {id(message) for message in context.history}
        shown = [message.telegram_message_ids for message in messages if id(message) in whole]
        latest = messages[-1].telegram_message_ids if messages else ()
        # Of an answer in one message the end is enough; of several messages the earlier ones may be missing.
        known = latest if len(latest) == 1 else ()
        return RoomForQuotes(
            frozenset(number for ids in (*shown, known) for number in ids),
            latest,
            lambda text: self.estimate(model, text) <= left,
        )

    def estimate(self, model: ModelRef, text: str) -> int:
        """Estimate the tokens of a text as one message, calibrated for a model."""
        return self._calibration.estimate(model, estimate_tokens(text))

    def tokens(self, model: ModelRef, request: ChatRequest) -> int:
        """Estimate the tokens of a request, calibrated for a model."""
        return self._calibration.estimate(model, estimate_request(request))

    def estimator(self, model: ModelRef) -> Estimator:
        """Return the estimates for one model, as it is calibrated now."""
        return Estimator(self._calibration.factor(model))

    def learn(self, model: ModelRef, request: ChatRequest, usage: Usage) -> None:
        """Calibrate the estimate for a model by the tokens that its provider counted.

        Requests with files teach nothing about texts: the tokens of a file are a rough guess.
        """
        counted: object = usage.input_tokens
        # A plugin may return a value of any type.
        if isinstance(counted, int) and not any(map(has_files, request.messages)):
            self._calibration.learn(model, estimate_request(request), counted)

    def learnt(self, model: ModelRef, now: int) -> Sequence[Unit]:
        """Return the units of work that store the calibration: none if it has hardly changed since it was stored.

        Args:
            model: the model that has answered.
            now: UTC, in milliseconds.
        """
        factor = self._calibration.factor(model)
        if not has_moved(self._stored.get(model), factor):
            return ()
        self._stored[model] = factor
        return (keep_factor(model, factor, now),)

    def _frame(self, context: TurnContext) -> tuple[str, int]:
        """Return the system prompt with remembered facts, and the maximum number of tokens of the request."""
        if context.model not in self._stored:
            self._stored[context.model] = context.factor
            if context.factor is not None:
                self._calibration.recall(context.model, context.factor)
        pieces = (context.system, facts_told(self.texts, context.facts))
        return "\n\n".join(piece for piece in pieces if piece), self._most(context)

    def _shown(self, context: TurnContext, budget: int) -> Shown:
        estimate = self.estimator(context.model)
        # A summary moves the beginning by itself, see ``summary.gap_of``.
        step = 0 if context.summarise else step_of(self._most(context), estimate.factor)
        return show(context.history, context.summary, budget, estimate, step)

    def _most(self, context: TurnContext) -> int:
        """Return the maximum number of tokens of a request."""
        return budget_of(context.size, self._tokens, context.room)

    def _messages(
        self, shown: Shown, context: TurnContext, question: str, materials: Materials = NOTHING
    ) -> tuple[ChatMessage, ...]:
        """Return history and question, with their files before their words."""
        past = [to_chat_message(row, context.model, context.made.get(row.id, ())) for row in shown.messages]
        if materials.history:
            rows = zip(shown.messages, past, strict=True)
            past = [with_items(message, materials.history.get(row.id, ())) for row, message in rows]
        asked = ChatMessage("user", (TextPart(question),))
        # Documents stay in the context, also if the message that they came with no longer fits.
        strays = materials.staying(except_of={row.id for row in shown.messages})
        last = with_items(asked, [*strays, *materials.question])
        messages, summary = (*past, last), self._summary(shown)
        return messages if summary is None else begin_with(messages, summary)

    def _summary(self, shown: Shown) -> TextPart | None:
        if shown.summary is None:
            return None
        return TextPart(self.texts("prompt.summary", text=shown.summary.text) + "\n\n")


def reasoning_display(conn: Connection, turn: Turn) -> ReasoningDisplay:
    """Return how reasoning is displayed in a turn."""
    return settings_of(conversation_of(conn, turn)).look.thoughts
