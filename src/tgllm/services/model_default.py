"""Choosing a model by name, from the stored lists."""

import difflib

from tgllm.api import ModelNotFound, ModelRef
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit, models
from tgllm.db.tables.models import Model

__all__ = ["known_model", "set_default_model"]


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
