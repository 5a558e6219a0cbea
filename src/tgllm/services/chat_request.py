"""Makes what a model is asked: which model, how much of the history fits, and on whose behalf."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tgllm.api import ChatMessage, ChatRequest, ModelRef, ReasoningEffort, TextPart, Usage
from tgllm.config.personas import PersonaSetting
from tgllm.db import conversations, models
from tgllm.db import messages as stored
from tgllm.db.unit import Connection
from tgllm.providers.tokens import Calibration, estimate_request
from tgllm.services.chat_settings import AnswerLook, ChatSettings, ReasoningDisplay, settings_of
from tgllm.services.context import estimate_tokens, fit_history, to_chat_message
from tgllm.services.model_in_use import ModelInUse, model_in_use
from tgllm.services.registry import ProviderRegistry
from tgllm.services.turn import Turn
from tgllm.services.user_key import read_secret, user_key

__all__ = ["RequestBuilder", "TurnContext", "reasoning_display"]

MOST_MESSAGES = 400
"""Messages of history that are read at most, whatever the budget of tokens."""


@dataclass(frozen=True, slots=True)
class TurnContext:
    """What the database knows when a turn begins."""

    model: ModelRef
    """The one that answers: chosen in the chat, or the default that was chosen, or the one of the config."""
    history: Sequence[stored.Message]
    """Oldest first."""
    window: int | None
    """Of the model, in tokens; None: unknown."""
    secret: str | None
    """For ``user_key``; None before it was made."""
    system: str | None = None
    """What the model is told first."""
    temperature: float | None = None
    reasoning_effort: ReasoningEffort | None = None
    retired: ModelRef | None = None
    """The model that the chat had chosen, if it is not offered any more and ``model`` takes its place."""
    look: AnswerLook = field(default_factory=AnswerLook)
    """How the answer looks in its chat."""


class RequestBuilder:
    """Makes requests, and learns from what providers report how many tokens a text has for each model."""

    def __init__(
        self,
        registry: ProviderRegistry,
        default_model: str,
        system_prompt: str | None,
        context_tokens: int,
        personas: Iterable[PersonaSetting] = (),
    ) -> None:
        """Take what is the same for all turns.

        Args:
            registry: knows aliases of providers.
            default_model: of the config.
            system_prompt: what every model is told first.
            context_tokens: tokens of question, prompt and history at most.
            personas: that a chat may have.
        """
        self._registry = registry
        self._default = ModelRef.parse(default_model)
        self._system = system_prompt
        self._tokens = context_tokens
        self._personas = {persona.name: persona for persona in personas}
        self._calibration = Calibration()

    def load(self, conn: Connection, turn: Turn) -> TurnContext:
        """Read what a turn begins with."""
        conversation = _conversation(conn, turn)
        settings = settings_of(conversation)
        persona = self._personas.get(settings.persona or "")
        in_use = ModelInUse(turn.model) if turn.model is not None else self._in_use(conn, conversation, persona)
        known = models.find(conn, in_use.ref)
        history: Sequence[stored.Message] = ()
        if conversation is not None:
            history = _history(conn, turn, conversation)
        return TurnContext(
            in_use.ref,
            history,
            known.context_window if known else None,
            read_secret(conn),
            self._told(settings, persona),
            persona.temperature if settings.temperature is None and persona is not None else settings.temperature,
            settings.reasoning_effort if known is None or known.reasoning else None,
            in_use.retired,
            settings.look,
        )

    def build(self, turn: Turn, context: TurnContext, secret: str) -> ChatRequest:
        """The request of a turn, with as much of the history as fits."""
        model = context.model

        def estimate(text: str) -> int:
            return self._calibration.estimate(model, estimate_tokens(text))

        budget = (
            self._budget(context.window) - estimate(turn.text) - (estimate(context.system) if context.system else 0)
        )
        past = tuple(to_chat_message(row, model) for row in fit_history(context.history, budget, estimate))
        question = ChatMessage("user", (TextPart(turn.text),))
        return ChatRequest(
            model=model.model,
            messages=(*past, question),
            system=context.system,
            temperature=context.temperature,
            reasoning_effort=context.reasoning_effort,
            user_key=user_key(secret, turn.user.id),
        )

    def learn(self, model: ModelRef, request: ChatRequest, usage: Usage) -> None:
        """Correct the estimate for a model by what its provider counted."""
        counted: object = usage.input_tokens
        # A plugin may say anything.
        if isinstance(counted, int):
            self._calibration.learn(model, estimate_request(request), counted)

    def _budget(self, window: int | None) -> int:
        # A quarter of the window stays free for the answer.
        return self._tokens if window is None else min(self._tokens, window * 3 // 4)

    def _in_use(
        self, conn: Connection, conversation: conversations.Conversation | None, persona: PersonaSetting | None
    ) -> ModelInUse:
        return model_in_use(conn, conversation, self._default, self._registry.canonical, persona)

    def _told(self, settings: ChatSettings, persona: PersonaSetting | None) -> str | None:
        """What the model is told first: by the operator, by the persona, by the people of the chat."""
        pieces = (self._system, None if persona is None else persona.system, settings.system)
        return "\n\n".join(piece for piece in pieces if piece) or None


def reasoning_display(conn: Connection, turn: Turn) -> ReasoningDisplay:
    """Whether people see what the model thinks in this turn."""
    return settings_of(_conversation(conn, turn)).look.thoughts


def _conversation(conn: Connection, turn: Turn) -> conversations.Conversation | None:
    if turn.branch is None:
        return conversations.active_in(conn, turn.lane)
    return conversations.get(conn, turn.branch.conversation_id)


def _history(conn: Connection, turn: Turn, conversation: conversations.Conversation) -> Sequence[stored.Message]:
    """What was said before the question, oldest first."""
    if turn.branch is not None:
        return stored.history(conn, conversation.id, turn.branch.parent_id, MOST_MESSAGES)
    history = stored.history(conn, conversation.id, conversation.head_message_id, MOST_MESSAGES)
    # A question at the end got no answer; it is not repeated to the model.
    return history[:-1] if history and history[-1].role == "user" else history
