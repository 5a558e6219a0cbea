"""Outcomes of calls of plugin code, and one-sentence descriptions of failures."""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from tgllm.api.errors import PluginError
from tgllm.observe.redaction import redact

__all__ = ["Breach", "Outcome", "Raised", "Returned", "TimedOut", "explain", "value_of"]

T = TypeVar("T")

_LONGEST = 200


class Breach(PluginError):
    """Violation of the plugin contract; the message is shown to the operator."""


@dataclass(frozen=True, slots=True)
class Returned(Generic[T]):
    """Outcome of a call that returned."""

    value: T


@dataclass(frozen=True, slots=True)
class Raised:
    """Outcome of a call that raised, including ``SystemExit``."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Outcome of a call that did not finish within ``seconds``."""

    seconds: float


Outcome: TypeAlias = Returned[T] | Raised | TimedOut


def value_of(outcome: Outcome[T], what: str) -> T:
    """Return the value of a successful call.

    Args:
        outcome: the outcome of the call.
        what: what was called, as the start of a sentence, such as ``tgllm_providers``.

    Raises:
        Breach: the call raised or timed out.
    """
    match outcome:
        case Returned(value):
            return value
        case Raised(Breach() as breach):
            raise breach
        case Raised(error):
            raise Breach(f"{what} raised {explain(error)}") from error
        case TimedOut(seconds):
            raise Breach(f"{what} did not end within {seconds:g} s")


def explain(error: BaseException) -> str:
    """Return the type of an error and the first line of its message, truncated and redacted."""
    lines = _text(error).strip().splitlines()
    text = f"{type(error).__name__}: {redact(lines[0])}" if lines else type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _text(error: BaseException) -> str:
    try:
        # A lone surrogate could be neither printed nor stored.
        return str(error).encode(errors="replace").decode()
    except Exception:  # noqa: BLE001  __str__ of a plugin's error class may raise anything
        return ""
