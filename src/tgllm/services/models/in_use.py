"""Which model answers in a chat."""

from collections.abc import Callable
from dataclasses import dataclass

from tgllm.api import ModelRef
from tgllm.config.sections.personas import PersonaSetting
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import conversations, models
from tgllm.db.tables.conversations import Conversation

__all__ = ["ModelInUse", "default_model", "forget_choice", "model_in_use"]

Canonical = Callable[[ModelRef], ModelRef]
"""Puts the provider's id in place of an alias."""


@dataclass(frozen=True, slots=True)
class ModelInUse:
    """The model that answers the next question of a chat."""

    ref: ModelRef
    retired: ModelRef | None = None
    """The one that the chat had chosen, if its provider does not offer it any more and another takes its place."""


def model_in_use(
    conn: Connection,
    conversation: Conversation | None,
    configured: ModelRef,
    canonical: Canonical,
    persona: PersonaSetting | None = None,
) -> ModelInUse:
    """The model chosen in the chat; where none is, or where it was retired, that of the persona, or the default.

    Args:
        conn: in a transaction.
        conversation: the chat's active one, if there is one.
        configured: the default model of the config.
        canonical: for aliases of providers.
        persona: of the chat.
    """
    chosen = conversation.chosen if conversation is not None else None
    if chosen is not None and _is_offered(conn, chosen):
        return ModelInUse(chosen)
    own = canonical(ModelRef.parse(persona.model)) if persona is not None and persona.model is not None else None
    if own is not None and _is_offered(conn, own):
        return ModelInUse(own, chosen)
    return ModelInUse(default_model(conn, configured, canonical), chosen)


def _is_offered(conn: Connection, ref: ModelRef) -> bool:
    """Whether it can be used as far as is known; not every provider lists all that it has."""
    known = models.find(conn, ref)
    return known is None or known.retired_at is None


def forget_choice(lane: str, retired: ModelRef, now: int) -> Unit:
    """The piece of work that goes back to the default model in a lane, unless another one was chosen meanwhile."""

    def unit(conn: Connection) -> None:
        conversation = conversations.active_for(conn, lane, now)
        if conversation.chosen == retired:
            conversations.set_model(conn, conversation.id, None, now)

    return unit


def default_model(conn: Connection, configured: ModelRef, canonical: Canonical) -> ModelRef:
    """The default that an admin has chosen, else the one of the config."""
    chosen = models.default(conn)
    return canonical(configured) if chosen is None else chosen.ref
