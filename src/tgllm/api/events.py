"""Events of a provider's ``generate``.

The union may grow within an API major version; consumers ignore unknown events. A stream ends with exactly one
``Finished``; errors are raised, not yielded.
"""

from dataclasses import dataclass, field
from typing import Literal

from tgllm.api.types import FinishReason, JsonObject, Usage

__all__ = [
    "FileDelta",
    "Finished",
    "ReasoningDelta",
    "StreamEvent",
    "TextDelta",
    "ToolCall",
    "ToolCallDelta",
    "Waiting",
]


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
class ToolCallDelta:
    """A sign that the model is writing a call of a tool; ``ToolCall`` follows when it is whole. Optional. Since 1.2."""

    name: str
    """Name of the tool; empty if it is not known yet."""
    arguments: str = ""
    """The next piece of the arguments."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A whole call of a tool. The host makes the calls after ``Finished``, whatever its reason, but for ``length``.

    Since 1.2.
    """

    id: str
    """The service's id of the call, or one made by the provider; unique in the answer."""
    name: str
    arguments: str
    """JSON as the model wrote it, maybe invalid: the host checks it and tells the model. Empty stands for ``{}``."""


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


StreamEvent = TextDelta | ReasoningDelta | FileDelta | ToolCallDelta | ToolCall | Waiting | Finished
