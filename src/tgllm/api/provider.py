"""A provider of models: the light half (ProviderSpec) and the working half (Provider)."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tgllm.api.events import StreamEvent
from tgllm.api.types import ChatRequest, ModelInfo

if TYPE_CHECKING:
    from tgllm.api.context import Check, PluginContext

__all__ = ["Provider", "ProviderSpec"]


class Provider(ABC):
    """Talks to one LLM service. Used from one event loop; several streams may run side by side."""

    @abstractmethod
    async def list_models(self) -> Sequence[ModelInfo]:
        """The chat models that the account can use now.

        Raises:
            ProviderError: the list can't be had; the caller keeps its old one.
        """

    @abstractmethod
    def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one answer. Implemented as ``async def`` with ``yield``.

        The generator yields any number of deltas and ends with exactly one ``Finished``. Closing it early
        (``aclose``, cancellation) must close its connection. A part or a setting that changes the meaning of the
        request and can't be honoured raises Unsupported; it is never dropped.

        Raises:
            ProviderError: of the kind that fits; also in the middle of a stream.
        """

    async def count_tokens(self, request: ChatRequest) -> int | None:  # noqa: ARG002  overridden with the same name
        """Tokens of the request as the service counts them, or None if it can't say without generating."""
        return None

    async def doctor(self) -> "Sequence[Check]":
        """What ``tgllm doctor`` should say of the service as it is now, such as the account's balance.

        It may ask the service, and costs no tokens. What it can't find out it raises, as ``list_models`` does; the key
        itself need not be tried, since ``list_models`` is called as well.
        """
        return ()

    async def aclose(self) -> None:  # noqa: B027  nothing to close is a valid provider
        """Close connections. A second call does nothing; no other method is called afterwards."""


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """What the host knows of a provider before it is used: cheap to make, imports no SDK."""

    id: str
    """``[a-z][a-z0-9_]*``; the first half of every model reference."""
    title: str
    create: "Callable[[PluginContext], Provider]"
    """Makes the provider; imports what is heavy here. Raises NotConfigured when a key is missing.

    Called in a thread, in which no event loop runs.
    """
    aliases: tuple[str, ...] = ()
    """Other names that people may use for ``id``."""
