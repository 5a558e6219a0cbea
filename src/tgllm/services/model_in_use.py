"""Which model answers in a chat."""

from collections.abc import Callable
from dataclasses import dataclass

from tgllm.api import ModelRef
from tgllm.db import models
from tgllm.db.conversations import Conversation
from tgllm.db.unit import Connection

__all__ = ["ModelInUse", "default_model", "model_in_use"]

Canonical = Callable[[ModelRef], ModelRef]
"""Puts the provider's id in place of an alias."""


@dataclass(frozen=True, slots=True)
class ModelInUse:
    """The model that answers the next question of a chat."""

    ref: ModelRef
    retired: ModelRef | None = None
    """The one that the chat had chosen, if its provider does not offer it any more and the default takes its place."""


def model_in_use(
    conn: Connection, conversation: Conversation | None, configured: ModelRef, canonical: Canonical
) -> ModelInUse:
    """The model chosen in the chat; where none is, or where it was retired, the default.

    Args:
        conn: in a transaction.
        conversation: the chat's active one, if there is one.
        configured: the default model of the config.
        canonical: for aliases of providers.
    """
    chosen = conversation.chosen if conversation is not None else None
    if chosen is None:
        return ModelInUse(default_model(conn, configured, canonical))
    known = models.find(conn, chosen)
    if known is None or known.retired_at is None:
        return ModelInUse(chosen)
    return ModelInUse(default_model(conn, configured, canonical), chosen)


def default_model(conn: Connection, configured: ModelRef, canonical: Canonical) -> ModelRef:
    """The default that an admin has chosen, else the one of the config."""
    chosen = models.default(conn)
    return canonical(configured) if chosen is None else chosen.ref
