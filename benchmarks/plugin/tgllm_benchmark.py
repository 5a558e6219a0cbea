"""A plugin whose provider streams from the benchmarks' model server, as the bare bot does."""

import os
from collections.abc import AsyncGenerator

from tgllm import hookimpl
from tgllm.api import ChatRequest, Finished, ModelInfo, PluginContext, PluginInfo, Provider, ProviderSpec, TextDelta
from tgllm.api.events import StreamEvent


class BenchmarkProvider(Provider):
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
    """Offer the provider ``benchmark``."""
    return (ProviderSpec(id="benchmark", title="Benchmark", create=_create),)


def _create(_ctx: PluginContext) -> Provider:
    return BenchmarkProvider(os.environ["BENCHMARK_MODEL_URL"])
