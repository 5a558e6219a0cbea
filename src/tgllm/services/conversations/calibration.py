"""Stored calibration factors of token estimates for each model, so that they survive a restart."""

from tgllm.api import ModelRef
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import kv

__all__ = ["has_moved", "keep_factor", "stored_factor"]

_SCOPE = "token_calibration"
"""Scope of the key-value store; the key is the model reference."""
_STEP = 0.1
"""Smallest change of a factor that is stored, to save writes."""


def stored_factor(conn: Connection, model: ModelRef) -> float | None:
    """Return the stored ratio of counted to estimated tokens of a model; None without one."""
    factor = kv.get(conn, _SCOPE, str(model))
    return float(factor) if isinstance(factor, int | float) and not isinstance(factor, bool) else None


def has_moved(stored: float | None, factor: float) -> bool:
    """Whether a factor differs enough from the stored one to be stored."""
    return abs(factor - (1.0 if stored is None else stored)) > _STEP


def keep_factor(model: ModelRef, factor: float, now: int) -> Unit:
    """Return the unit of work that stores the factor of a model; ``now`` is UTC in milliseconds."""
    return lambda conn: kv.set_value(conn, _SCOPE, str(model), round(factor, 4), now)
