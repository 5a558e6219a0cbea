"""A plugin with two providers that stream from the benchmarks' model server.

``benchmark`` is made as plugin authors make one, with ``tgllm.providers``; ``floor`` uses the client of the bare bot.
"""

import os
from collections.abc import AsyncGenerator

from tgllm import hookimpl
from tgllm.api import ChatRequest, Finished, ModelInfo, PluginContext, PluginInfo, Provider, ProviderSpec, TextDelta
from tgllm.api.events import StreamEvent


class FloorProvider(Provider):
    """Sends the conversation and hands on what comes back."""

    def __init__(self, url: str) -> None:
        """Talk to the server at ``url``."""
        from benchmarks.completion import Completions  # noqa: PLC0415  a provider's client is made when it is needed

        self._completions = Completions(url)

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """The one model."""
        return (ModelInfo("model"),)

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one completion."""
        messages = [{"role": message.role, "content": message.text} for message in request.messages]
        async for piece in self._completions.stream(messages):
            yield TextDelta(piece)
        yield Finished()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._completions.aclose()


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Say who the plugin is."""
    return PluginInfo(id="benchmark", title="Benchmark", api="1.0")


@hookimpl
def tgllm_providers() -> tuple[ProviderSpec, ...]:
    """Offer the providers ``benchmark`` and ``floor``."""
    return (
        ProviderSpec(id="benchmark", title="Benchmark", create=_create),
        ProviderSpec(id="floor", title="Floor", create=lambda _ctx: FloorProvider(os.environ["BENCHMARK_MODEL_URL"])),
    )


def _create(ctx: PluginContext) -> Provider:
    from tgllm.providers.http import ProviderHttp  # noqa: PLC0415  as above
    from tgllm.providers.openai_chat import OpenAIChatClient  # noqa: PLC0415  as above

    return OpenAIChatClient(ProviderHttp(f"{os.environ['BENCHMARK_MODEL_URL']}/v1"), ctx.clock)
