"""Which model answers in a chat."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from tgllm.api import ModelNotFound, ModelRef
from tgllm.config.sections.personas import PersonaSetting
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import audit, conversations, models
from tgllm.db.tables.conversations import Conversation
from tgllm.db.tables.models import Model

__all__ = ["ModelInUse", "default_model", "forget_choice", "known_model", "model_in_use", "set_default_model"]

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


def known_model(conn: Connection, ref: ModelRef) -> Model:
    """The stored model of that name or alias.

    Raises:
        ModelNotFound: there is none, or it is offered no more; names the nearest one.
    """
    found = models.find(conn, ref)
    if found is not None and found.retired_at is None:
        return found
    names = [model.ref for model in models.list_all(conn)]
    near = difflib.get_close_matches(str(ref), map(str, names), n=1, cutoff=0.5)
    if found is not None:
        problem = f"{ref} is not offered any more"
    elif any(name.provider == ref.provider for name in names):
        problem = f"{ref.provider} has no model {ref.model!r}"
    else:
        problem = f"no model of {ref.provider} is known yet; fetch its list with: tgllm models sync"
    raise ModelNotFound(f"{problem}; did you mean {near[0]}?" if near else problem)


def set_default_model(conn: Connection, ref: ModelRef | None, source: str, now: int) -> ModelRef | None:
    """Choose the model that answers where none was chosen, or go back to that of the config; it is audited.

    Args:
        conn: in a write transaction.
        ref: the model; None for that of the config.
        source: where it was chosen, such as ``shell``.
        now: UTC, in milliseconds.

    Returns:
        The model under its own id, if ``ref`` was an alias.

    Raises:
        ModelNotFound: there is no such model; names the nearest one.
    """
    before = models.default(conn)
    chosen = None if ref is None else known_model(conn, ref).ref
    models.set_default(conn, chosen)
    details = {"before": before and str(before.ref), "after": chosen and str(chosen)}
    audit.add(conn, audit.NewEntry(actor_id=None, source=source, action="models.default", details=details), now)
    return chosen
