"""Events of a provider's ``generate``.

The union may grow within an API major version; consumers ignore unknown events. A stream ends with exactly one
``Finished``; errors are raised, not yielded.
"""

from dataclasses import dataclass, field
from typing import Literal

from tgllm.api.types import FinishReason, JsonObject, Usage

__all__ = ["FileDelta", "Finished", "ReasoningDelta", "StreamEvent", "TextDelta", "Waiting"]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of the model's reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class FileDelta:
    """A file of the answer, such as a picture that the model has made; it is stored and sent with the answer."""

    content: bytes
    mime_type: str
    name: str | None = None
    """File name in the chat; None: made from the type."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delay of the answer, with its reason, which the chat shows."""

    reason: Literal["queue", "retry", "rate_limit"]
    seconds: float | None = None
    """The expected wait, if known."""


@dataclass(frozen=True, slots=True)
class Finished:
    """End of the answer; the last event of every stream that does not raise."""

    reason: FinishReason = "stop"
    usage: Usage = field(default_factory=Usage)
    provider_data: JsonObject | None = None
    """Stored with the turn and returned to the same provider and model in later requests; at most 256 KiB of JSON."""


StreamEvent = TextDelta | ReasoningDelta | FileDelta | Waiting | Finished
