"""Selection of the model that answers in a chat, and the default model."""

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
"""Function that replaces an alias of a provider by its id."""


@dataclass(frozen=True, slots=True)
class ModelInUse:
    """Model that answers the next question of a chat."""

    ref: ModelRef
    retired: ModelRef | None = None
    """The model chosen in the chat, if it is retired and replaced by ``ref``."""


def model_in_use(
    conn: Connection,
    conversation: Conversation | None,
    configured: ModelRef,
    canonical: Canonical,
    persona: PersonaSetting | None = None,
) -> ModelInUse:
    """Return the model chosen in the chat; if there is none or it is retired, the persona's model, then the default.

    Args:
        conn: an open transaction.
        conversation: active conversation of the chat; None before the first message.
        configured: default model of the config.
        canonical: resolves aliases of providers.
        persona: persona of the chat.
    """
    chosen = conversation.chosen if conversation is not None else None
    if chosen is not None and _is_offered(conn, chosen):
        return ModelInUse(chosen)
    own = canonical(ModelRef.parse(persona.model)) if persona is not None and persona.model is not None else None
    if own is not None and _is_offered(conn, own):
        return ModelInUse(own, chosen)
    return ModelInUse(default_model(conn, configured, canonical), chosen)


def _is_offered(conn: Connection, ref: ModelRef) -> bool:
    """Whether a model is not known to be retired; providers may offer models that they don't list."""
    known = models.find(conn, ref)
    return known is None or known.retired_at is None


def forget_choice(lane: str, retired: ModelRef, now: int) -> Unit:
    """Return the unit of work that resets a lane to the default model, unless another one was chosen meanwhile."""

    def unit(conn: Connection) -> None:
        conversation = conversations.active_for(conn, lane, now)
        if conversation.chosen == retired:
            conversations.set_model(conn, conversation.id, None, now)

    return unit


def default_model(conn: Connection, configured: ModelRef, canonical: Canonical) -> ModelRef:
    """Return the default model set by an admin, else the one of the config."""
    chosen = models.default(conn)
    return canonical(configured) if chosen is None else chosen.ref


def known_model(conn: Connection, ref: ModelRef) -> Model:
    """Return the stored model of a reference or alias.

    Raises:
        ModelNotFound: the model is unknown or retired; the message suggests the closest match.
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
        problem = f"no model of {ref.provider} is known yet; if its key is set, fetch its list with: tgllm models sync"
    raise ModelNotFound(f"{problem}; did you mean {near[0]}?" if near else problem)


def set_default_model(conn: Connection, ref: ModelRef | None, source: str, now: int) -> ModelRef | None:
    """Set or reset the default model, and record the change in the audit trail.

    Args:
        conn: an open write transaction.
        ref: the model; None for the default of the config.
        source: source of the change, such as ``shell``.
        now: UTC, in milliseconds.

    Returns:
        The reference of the model, with aliases resolved.

    Raises:
        ModelNotFound: the model is unknown or retired; the message suggests the closest match.
    """
    before = models.default(conn)
    chosen = None if ref is None else known_model(conn, ref).ref
    models.set_default(conn, chosen)
    details = {"before": before and str(before.ref), "after": chosen and str(chosen)}
    audit.add(conn, audit.NewEntry(actor_id=None, source=source, action="models.default", details=details), now)
    return chosen
