"""What became of a call into a plugin, and how a failure is told in one sentence."""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from tgllm.api.errors import PluginError
from tgllm.observe.redaction import redact

__all__ = ["Breach", "Outcome", "Raised", "Returned", "TimedOut", "explain", "value_of"]

T = TypeVar("T")

_LONGEST = 200


class Breach(PluginError):
    """What the host found wrong with a plugin; the message is the sentence that the operator reads."""


@dataclass(frozen=True, slots=True)
class Returned(Generic[T]):
    """The call ended with a value."""

    value: T


@dataclass(frozen=True, slots=True)
class Raised:
    """The call raised; anything at all, ``SystemExit`` too."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The call did not end in time."""

    seconds: float


Outcome: TypeAlias = Returned[T] | Raised | TimedOut


def value_of(outcome: Outcome[T], what: str) -> T:
    """The value of a call that ended well.

    Args:
        outcome: of the call.
        what: was called, as the start of a sentence, such as ``tgllm_providers``.

    Raises:
        Breach: the call did not end well.
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
    """The kind of an error and the first line of its text, shortened and without secrets."""
    lines = _text(error).strip().splitlines()
    text = f"{type(error).__name__}: {redact(lines[0])}" if lines else type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _text(error: BaseException) -> str:
    try:
        # Half of a surrogate pair could be neither printed nor stored.
        return str(error).encode(errors="replace").decode()
    except Exception:  # noqa: BLE001  an error class of the plugin's own may fail at this too
        return ""
