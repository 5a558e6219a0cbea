"""Google's client, on our transport, for the service that the settings name."""

from collections.abc import AsyncIterator
from typing import Protocol, cast

from google.genai import Client, types

from tgllm.providers.http import open_client
from tgllm_gemini.settings import Settings
from tgllm_gemini.transport import hooks

__all__ = ["Models", "Sdk"]


_Contents = list[types.Content]


class Models(Protocol):
    """The calls about models that are made here. The SDK's own signatures name types of a library that isn't there."""

    async def list(self, *, config: types.ListModelsConfig) -> AsyncIterator[types.Model]:
        """All models; reads further pages as it goes."""
        ...

    async def count_tokens(self, *, model: str, contents: _Contents) -> types.CountTokensResponse:
        """The tokens of these contents."""
        ...

    async def generate_content_stream(
        self, *, model: str, contents: _Contents, config: types.GenerateContentConfig
    ) -> AsyncIterator[types.GenerateContentResponse]:
        """An answer in pieces."""
        ...


class Sdk:
    """The client and the transport below it, which the SDK leaves to whoever made it."""

    def __init__(self, settings: Settings, key: str) -> None:
        """Make both; nothing is sent yet. A project in the settings means Vertex AI."""
        self._transport = open_client(
            settings.base_url or "",
            idle_seconds=settings.timeout_seconds,
            proxy=settings.proxy.get_secret_value() if settings.proxy else None,
        )
        self._transport.event_hooks = hooks(self._transport.event_hooks)
        options = types.HttpOptions(
            base_url=settings.base_url,
            api_version=settings.api_version,
            timeout=int(settings.timeout_seconds * 1000),
            httpx_async_client=self._transport,
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
    """Google's client; what is said here goes before the environment variables that it reads by itself."""
    if settings.project:
        return Client(enterprise=True, project=settings.project, location=settings.location, http_options=options)
    return Client(enterprise=False, api_key=key, http_options=options)
