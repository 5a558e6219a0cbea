"""Reads what a turn begins with: the model of the chat, its settings, and what was said before."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field

from tgllm.api import ModelRef, ReasoningEffort
from tgllm.config.sections.personas import PersonaSetting
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, facts, messages, models, summaries
from tgllm.db.tables.conversations import Conversation
from tgllm.db.tables.facts import Fact
from tgllm.db.tables.messages import Message
from tgllm.db.tables.summaries import Summary
from tgllm.services.chats.settings import AnswerLook, ChatSettings, ContextSize, SummaryMode, persona_in, settings_of
from tgllm.services.conversations.calibration import stored_factor
from tgllm.services.conversations.history import room_in
from tgllm.services.conversations.turn import Turn
from tgllm.services.conversations.user_key import read_secret
from tgllm.services.models.in_use import ModelInUse, model_in_use
from tgllm.services.models.registry import ProviderRegistry

__all__ = ["ContextLoader", "TurnContext", "conversation_of"]

MOST_MESSAGES = 400
"""Messages of history that are read at most, whatever the budget of tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnContext:
    """What the database knows when a turn begins."""

    model: ModelRef
    """The one that answers: chosen in the chat, or the default that was chosen, or the one of the config."""
    history: Sequence[Message] = ()
    """Oldest first."""
    room: int | None = None
    """Tokens that the model takes in, or may be shown; None: unknown."""
    secret: str | None = None
    """For ``user_key``; None before it was made."""
    system: str | None = None
    """What the model is told first."""
    temperature: float | None = None
    reasoning_effort: ReasoningEffort | None = None
    retired: ModelRef | None = None
    """The model that the chat had chosen, if it is not offered any more and ``model`` takes its place."""
    look: AnswerLook = field(default_factory=AnswerLook)
    """How the answer looks in its chat."""
    facts: Sequence[Fact] = ()
    """Pinned in the chat."""
    size: ContextSize | None = None
    """Of the context, as chosen in the chat."""
    conversation_id: int | None = None
    """None: there is none yet."""
    summarise: bool = False
    """Whether what falls out of the context is summarised."""
    summary: Summary | None = None
    """Of the beginning of the history."""
    factor: float | None = None
    """What an earlier run has learnt about the model's tokens."""


class ContextLoader:
    """Reads what turns begin with; knows what the operator has set for all of them."""

    def __init__(
        self,
        registry: ProviderRegistry,
        default_model: str,
        system_prompt: str | None,
        personas: Iterable[PersonaSetting],
        summaries_by_default: SummaryMode,
        most_tokens: int | None = None,
    ) -> None:
        """Take what is the same for all turns; see ``RequestBuilder``."""
        self._registry = registry
        self._default = ModelRef.parse(default_model)
        self._system = system_prompt
        self._personas = tuple(personas)
        self._summaries: SummaryMode = summaries_by_default
        self._most_tokens = most_tokens

    def load(self, conn: Connection, turn: Turn, calibrated: Container[ModelRef]) -> TurnContext:
        """Read what a turn begins with.

        Args:
            conn: in a transaction.
            turn: the question.
            calibrated: models of which no ``factor`` is needed.
        """
        conversation = conversation_of(conn, turn)
        settings = settings_of(conversation)
        persona = persona_in(settings, self._personas)
        in_use = ModelInUse(turn.model) if turn.model is not None else self._in_use(conn, conversation, persona)
        known = models.find(conn, in_use.ref)
        history = () if conversation is None else _history(conn, turn, conversation)
        summarise = (settings.summary or self._summaries) == "on"
        return TurnContext(
            model=in_use.ref,
            history=history,
            room=room_in(known, self._most_tokens),
            secret=read_secret(conn),
            system=self._told(settings, persona),
            temperature=(
                persona.temperature if settings.temperature is None and persona is not None else settings.temperature
            ),
            reasoning_effort=settings.reasoning_effort if known is None or known.reasoning else None,
            retired=in_use.retired,
            look=settings.look,
            facts=facts.list_for(conn, turn.lane),
            size=settings.context,
            conversation_id=None if conversation is None else conversation.id,
            summarise=summarise,
            summary=_summary(conn, history) if summarise else None,
            factor=None if in_use.ref in calibrated else stored_factor(conn, in_use.ref),
        )

    def _in_use(
        self, conn: Connection, conversation: Conversation | None, persona: PersonaSetting | None
    ) -> ModelInUse:
        return model_in_use(conn, conversation, self._default, self._registry.canonical, persona)

    def _told(self, settings: ChatSettings, persona: PersonaSetting | None) -> str | None:
        """What the model is told first: by the operator, by the persona, by the people of the chat."""
        pieces = (self._system, None if persona is None else persona.system, settings.system)
        return "\n\n".join(piece for piece in pieces if piece) or None


def conversation_of(conn: Connection, turn: Turn) -> Conversation | None:
    """The conversation that a turn goes on with; None before there is one."""
    if turn.branch is None:
        return conversations.active_in(conn, turn.lane)
    return conversations.get(conn, turn.branch.conversation_id)


def _history(conn: Connection, turn: Turn, conversation: Conversation) -> Sequence[Message]:
    """What was said before the question, oldest first."""
    if turn.branch is not None:
        return messages.history(conn, conversation.id, turn.branch.parent_id, MOST_MESSAGES)
    history = messages.history(conn, conversation.id, conversation.head_message_id, MOST_MESSAGES)
    # A question at the end got no answer; it is not repeated to the model.
    return history[:-1] if history and history[-1].role == "user" else history


def _summary(conn: Connection, history: Sequence[Message]) -> Summary | None:
    if not history:
        return None
    return summaries.latest_before(conn, history[-1].conversation_id, history[-1].id)
