"""Google's client with tgllm's transport."""

from collections.abc import AsyncIterator
from typing import Protocol, cast

from google.genai import Client, types

from tgllm.providers.http import open_client, unused_client
from tgllm_gemini.settings import Settings
from tgllm_gemini.transport import hooks

__all__ = ["Models", "Sdk"]


_Contents = list[types.Content]


class Models(Protocol):
    """Model calls of the SDK, whose own signatures refer to types of a library that is not installed."""

    async def list(self, *, config: types.ListModelsConfig) -> AsyncIterator[types.Model]:
        """Return all models; fetches further pages during iteration."""
        ...

    async def count_tokens(self, *, model: str, contents: _Contents) -> types.CountTokensResponse:
        """Count the tokens of contents."""
        ...

    async def generate_content_stream(
        self, *, model: str, contents: _Contents, config: types.GenerateContentConfig
    ) -> AsyncIterator[types.GenerateContentResponse]:
        """Stream an answer."""
        ...


class Sdk:
    """The client and its transport, which the SDK does not close itself."""

    def __init__(self, settings: Settings, key: str) -> None:
        """Create both; nothing is sent yet. A project in the settings selects Vertex AI."""
        self._transport = open_client(
            settings.address,
            idle_seconds=settings.timeout_seconds,
            proxy=settings.proxy.get_secret_value() if settings.proxy else None,
        )
        self._transport.event_hooks = hooks(self._transport.event_hooks)
        options = types.HttpOptions(
            base_url=settings.base_url,
            api_version=settings.api_version,
            timeout=int(settings.timeout_seconds * 1000),
            httpx_async_client=self._transport,
            # Otherwise the library creates one of its own, which fails for some proxy variables.
            httpx_client=unused_client(),
        )
        self._client = _client(settings, key, options)
        self.models = cast("Models", self._client.aio.models)
        self.files = self._client.aio.files

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aio.aclose()
        self._client.close()
        await self._transport.aclose()


def _client(settings: Settings, key: str, options: types.HttpOptions) -> Client:
    """Create Google's client; these arguments override the environment variables that it reads."""
    if settings.project:
        return Client(enterprise=True, project=settings.project, location=settings.location, http_options=options)
    return Client(enterprise=False, api_key=key, http_options=options)
