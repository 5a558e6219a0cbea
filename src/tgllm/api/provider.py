"""Providers of models: the lightweight description (ProviderSpec) and the provider itself (Provider)."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from tgllm.api.events import StreamEvent
from tgllm.api.types import ChatRequest, Json, ModelInfo

if TYPE_CHECKING:
    from tgllm.api.context import Check, PluginContext

__all__ = ["Provider", "ProviderPreset", "ProviderSpec"]


class Provider(ABC):
    """Client of one LLM service. Used from one event loop; several streams may run concurrently."""

    supports_tools: ClassVar[bool] = False
    """Whether it encodes ``ChatRequest.tools`` and the calls and results in messages, and yields ``ToolCall``. If not,
    its requests have no tools, and earlier calls and their results are in them as text. Since 1.2."""

    @abstractmethod
    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the chat models that the account can use.

        Raises:
            ProviderError: the list is not available; the caller keeps its previous list.
        """

    @abstractmethod
    def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one answer. Implemented as ``async def`` with ``yield``.

        The generator yields any number of deltas and ends with exactly one ``Finished``. Closing it early
        (``aclose``, cancellation) must close its connection. If a part or a setting that changes the meaning of the
        request is not supported, raise Unsupported; never drop it silently.

        Raises:
            ProviderError: the subclass that fits; also in the middle of a stream.
        """

    async def count_tokens(self, request: ChatRequest) -> int | None:  # noqa: ARG002  overridden with the same name
        """Return the tokens of the request as the service counts them, or None if it can't count without generating."""
        return None

    async def doctor(self) -> "Sequence[Check]":
        """Return checks for ``tgllm doctor`` of the service's current state, such as the account's balance.

        It may call the service, but must not use tokens. Errors are raised as in ``list_models``; the key itself need
        not be checked, since ``list_models`` is called as well.
        """
        return ()

    async def aclose(self) -> None:  # noqa: B027  nothing to close is a valid provider
        """Close connections. A second call does nothing; no other method is called afterwards."""


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """Description of a provider before its first use: cheap to create, imports no SDK."""

    id: str
    """``[a-z][a-z0-9_]*``; the first part of every model reference."""
    title: str
    create: "Callable[[PluginContext], Provider]"
    """Create the provider; do heavy imports here. Raises NotConfigured if a key is missing.

    Called in a thread without an event loop.
    """
    aliases: tuple[str, ...] = ()
    """Other names for ``id``."""


@dataclass(frozen=True, slots=True)
class ProviderPreset:
    """A provider that a plugin will have once it is in the plugin's settings; ``tgllm init`` offers it. Since 1.1."""

    id: str
    """The id that the provider will have."""
    title: str
    settings: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Settings of the plugin that choose it, by field; a value inside tables is named with dots."""
    key: str = ""
    """Field of its key, named with dots; empty: it takes none."""
    needs_key: bool = True
    variable: str = ""
    """Common environment variable of the key, such as ``GROQ_API_KEY``."""
    address: str = ""
    """Field of its address, named with dots; empty: it can't be changed."""
    needs_address: bool = False
    """Whether the operator has to set the address."""
