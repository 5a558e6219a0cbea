"""Client of the model server, used by the bare bot and by tgllm's plugin."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence

import httpx

__all__ = ["Completions"]


class Completions:
    """Streaming client with one connection pool."""

    def __init__(self, url: str) -> None:
        """Create a client of the server at ``url``."""
        self._client = httpx.AsyncClient(base_url=url, limits=httpx.Limits(max_connections=1000), timeout=30)

    async def stream(self, messages: Sequence[Mapping[str, str]]) -> AsyncGenerator[str, None]:
        """Yield the pieces of an answer."""
        body = {"model": "model", "stream": True, "messages": list(messages)}
        async with self._client.stream("POST", "/v1/chat/completions", json=body) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line[6:])["choices"][0]["delta"].get("content", "")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
