"""Values of a conversation with a model.

These are what goes to a provider and what comes back, no more: they know nothing of Telegram, of the database or of
HTTP. Identity (row ids, message ids) is a matter of storage and has no place here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self, TypeAlias

from tgllm.api.errors import ModelNotFound

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
    "Usage",
]

# PEP 695 aliases need Python 3.12.
Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]

FinishReason = Literal["stop", "length", "filtered", "stopped", "other"]
"""Why an answer ended: by itself, at the token limit, by the provider's filter, by a person, or otherwise."""

ReasoningEffort = Literal["none", "low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model by name: ``provider/model``, split at the first slash, so that model ids may hold slashes."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"mistral/mistral-small-2603"``.

        Raises:
            ModelNotFound: the text has no slash, or nothing on one side of it.
        """
        provider, slash, model = text.strip().partition("/")
        if not (provider and slash and model):
            raise ModelNotFound(f"{text!r} is no model reference: write provider/model", code="model_ref", ref=text)
        return cls(provider, model)

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of text of a message."""

    text: str


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file that a person attached; the bytes stay on disk until a provider reads them."""

    path: Path
    mime_type: str
    size: int
    """In bytes."""
    sha256: str
    """Of the content, in hex."""
    name: str | None = None
    """As the sender called it; never a path to open."""


Part = TextPart | FilePart


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of the conversation that a model is shown."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]
    provider_data: JsonObject | None = None
    """What the same provider and model handed back with this answer (``Finished.provider_data``); None otherwise."""

    @property
    def text(self) -> str:
        """The text parts, one after another."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a provider is asked. A setting that is None is left to the provider."""

    model: str
    """The model's id as the provider knows it, without the provider's name."""
    messages: tuple[ChatMessage, ...]
    """Oldest first; the last one is the question."""
    system: str | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    reasoning_effort: ReasoningEffort | None = None
    user_key: str | None = None
    """A stable hash for the person who asks, for providers that want one against abuse; never a Telegram id."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call as the provider counted them; None where it does not say."""

    input_tokens: int | None = None
    """All tokens of the request, cached ones included."""
    output_tokens: int | None = None
    """All tokens of the answer, reasoning included."""
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    """The part of ``input_tokens`` that was read from the provider's cache."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in US dollars for a million tokens. Prices change: they are data, with an as-of day."""

    input: float
    output: float
    """Of all tokens of an answer, reasoning included."""
    cached: float | None = None
    """Of input tokens that were read from the provider's cache; None: they cost as much as others."""
    as_of: str = ""
    """The day, as ``YYYY-MM-DD``; empty if it is not known."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that a provider offers now."""

    id: str
    title: str = ""
    """For people; the id where it is empty."""
    context_window: int | None = None
    """In tokens, question and answer together unless the provider says otherwise."""
    max_output_tokens: int | None = None
    mime_types: frozenset[str] = field(default_factory=frozenset[str])
    """Kinds of files it takes, such as ``image/png`` or ``image/*``."""
    reasoning: bool = False
    aliases: tuple[str, ...] = ()
    """Other ids for the same model."""
    price: Price | None = None
    """What the provider's package knows of its price; the operator's config goes first. None: not known, never free."""

    @property
    def supports_files(self) -> bool:
        """Whether it takes any file at all."""
        return bool(self.mime_types)
