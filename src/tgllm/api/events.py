"""What a provider's ``generate`` yields.

The union may grow within an API major version: a caller ignores kinds it does not know. A stream ends with exactly
one ``Finished``; errors are raised, not yielded.
"""

from dataclasses import dataclass, field
from typing import Literal

from tgllm.api.types import FinishReason, JsonObject, Usage

__all__ = ["Finished", "ReasoningDelta", "StreamEvent", "TextDelta", "Waiting"]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of what the model thinks before it answers."""

    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing comes for now, and this is why; it lets the chat show that the turn is alive."""

    reason: Literal["queue", "retry", "rate_limit"]
    seconds: float | None = None
    """The expected wait, if known."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of the answer; the last event of every stream that does not raise."""

    reason: FinishReason = "stop"
    usage: Usage = field(default_factory=Usage)
    provider_data: JsonObject | None = None
    """Kept with the turn and handed back to the same provider and model in later requests; 256 KiB of JSON at most."""


StreamEvent = TextDelta | ReasoningDelta | Waiting | Finished
