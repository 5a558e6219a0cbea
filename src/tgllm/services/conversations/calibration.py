"""Keeps how far estimates of tokens are from the truth, model by model, so that a restart does not forget it."""

from tgllm.api import ModelRef
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import kv

__all__ = ["has_moved", "keep_factor", "stored_factor"]

_SCOPE = "token_calibration"
"""In it, the key is the reference of the model."""
_STEP = 0.1
"""A change by a tenth is worth a write."""


def stored_factor(conn: Connection, model: ModelRef) -> float | None:
    """True tokens for each estimated one, as an earlier run has learnt; None where it has learnt nothing."""
    factor = kv.get(conn, _SCOPE, str(model))
    return float(factor) if isinstance(factor, int | float) and not isinstance(factor, bool) else None


def has_moved(stored: float | None, factor: float) -> bool:
    """Whether a factor differs so much from the stored one that it is to be stored."""
    return abs(factor - (1.0 if stored is None else stored)) > _STEP


def keep_factor(model: ModelRef, factor: float, now: int) -> Unit:
    """The piece of work that stores the factor of a model; ``now`` is UTC in milliseconds."""
    return lambda conn: kv.set_value(conn, _SCOPE, str(model), round(factor, 4), now)
