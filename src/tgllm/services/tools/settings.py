"""Settings of the operator for the calls of a turn."""

from dataclasses import dataclass

__all__ = ["ToolLimits"]


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """Bounds of the calls of one turn."""

    rounds: int = 8
    """Answers of a model that call tools."""
    calls: int = 24
    seconds: float = 300.0
    """Time from which on no further round begins; the waits for people don't count."""
