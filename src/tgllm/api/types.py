"""Requests to and results of providers.

These types are independent of Telegram, the database and HTTP. They contain no identifiers of storage, such as row ids
and message ids.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from tgllm.api.model_ref import ModelRef

__all__ = [
    "ChatMessage",
    "ChatRequest",
    "FilePart",
    "FinishReason",
    "Json",
    "JsonObject",
    "ModelInfo",
    "ModelRef",
    "Part",
    "Price",
    "ReasoningEffort",
    "TextPart",
    "ToolCallPart",
    "ToolChoice",
    "ToolDefinition",
    "ToolResultPart",
    "Usage",
]

# PEP 695 aliases need Python 3.12.
Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]

FinishReason = Literal["stop", "length", "filtered", "stopped", "other"]
"""Why an answer ended: complete, token limit, provider's filter, stopped by a person, or another reason."""

ReasoningEffort = Literal["none", "low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text of a message."""

    text: str


@dataclass(frozen=True, slots=True)
class FilePart:
    """An attached file; its content stays on disk until a provider reads it."""

    path: Path
    mime_type: str
    size: int
    """In bytes."""
    sha256: str
    """SHA-256 of the content, in hex."""
    name: str | None = None
    """File name from the sender; never open it as a path."""
    pages: int | None = None
    """Pages of a PDF; None if unknown or not a PDF."""
    seconds: float | None = None
    """Duration of a recording or video, as the sender's app has claimed; None if unknown."""
    pixels: int | None = None
    """Width times height of a picture; None if unknown."""


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A call of a tool in a message of the assistant. Since 1.2."""

    id: str
    """Neutral id of the call, unique in the request; services with rules of their own get it mapped."""
    name: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True)
class ToolResultPart:
    """Result of a call, in the message of the user that follows the call's message. Since 1.2.

    All calls of a message have their results in the next one, in the same order.
    """

    id: str
    """``ToolCallPart.id``."""
    name: str
    text: str
    is_error: bool = False


Part = TextPart | FilePart | ToolCallPart | ToolResultPart
"""Calls and results of tools are only in requests to providers with ``Provider.supports_tools``."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]
    provider_data: JsonObject | None = None
    """The ``Finished.provider_data`` of this answer if it is from the same provider and model; otherwise None."""

    @property
    def text(self) -> str:
        """The concatenated text parts."""
        if len(self.parts) == 1:
            # Nearly all messages of a long history.
            (only,) = self.parts
            return only.text if isinstance(only, TextPart) else ""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool as it is described to a model. Since 1.2."""

    name: str
    """``[A-Za-z_][A-Za-z0-9_-]{0,63}``"""
    description: str
    schema: JsonObject
    """JSON Schema of the arguments, an object; it may come from a foreign server."""


ToolChoice: TypeAlias = str
"""``auto``: the model decides; ``none``: it calls no tool; ``required``: it calls one; or the name of a tool, which it
calls, as ``tool:<name>``."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Request to a provider. A setting that is None uses the provider's default."""

    model: str
    """The model's id at the provider, without the provider's name."""
    messages: tuple[ChatMessage, ...]
    """Oldest first; the last one is the question."""
    system: str | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    reasoning_effort: ReasoningEffort | None = None
    user_key: str | None = None
    """A stable hash of the person who asks, for abuse detection by providers; never a Telegram id."""
    tools: tuple[ToolDefinition, ...] = ()
    """Tools that the model may call; only for providers with ``Provider.supports_tools``. Since 1.2."""
    tool_choice: ToolChoice = "auto"
    """Since 1.2."""
    parallel_tools: bool = True
    """Whether the model may call several tools at once. Since 1.2."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as counted by the provider; None if it does not report them."""

    input_tokens: int | None = None
    """All input tokens, cached ones included."""
    output_tokens: int | None = None
    """All output tokens, reasoning included."""
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    """The part of ``input_tokens`` from the provider's cache."""
    cache_write_tokens: int | None = None
    """The part of ``input_tokens`` that was written to the provider's cache. Since 1.1."""


@dataclass(frozen=True, slots=True)
class Price:
    """Price of a model in US dollars per million tokens, with the day on which it was valid."""

    input: float
    output: float
    """For all output tokens, reasoning included."""
    cached: float | None = None
    """For input tokens from the provider's cache; None: same as other input tokens."""
    as_of: str = ""
    """The day, as ``YYYY-MM-DD``; empty if unknown."""
    cache_write: float | None = None
    """For input tokens written to the provider's cache; None: same as other input tokens. Since 1.1."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that a provider offers."""

    id: str
    title: str = ""
    """Display name; if empty, the id is used."""
    context_window: int | None = None
    """In tokens, input and output together unless the provider documents otherwise."""
    max_output_tokens: int | None = None
    mime_types: frozenset[str] = field(default_factory=frozenset[str])
    """MIME types it accepts, such as ``image/png`` or ``image/*``."""
    reasoning: bool = False
    aliases: tuple[str, ...] = ()
    """Other ids of the same model."""
    price: Price | None = None
    """Price from the provider's package; the operator's config overrides it. None means unknown, never free."""
    tools: bool | None = None
    """Whether it can call tools; None: as the provider says (``Provider.supports_tools``). Since 1.2."""

    @property
    def supports_files(self) -> bool:
        """Whether it accepts files of any type."""
        return bool(self.mime_types)
