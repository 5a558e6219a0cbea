"""Plugin with two providers that stream from the benchmarks' model server.

``benchmark`` uses ``tgllm.providers``, as plugin authors do; ``floor`` uses the client of the bare bot.
"""

import os
from collections.abc import AsyncGenerator

from tgllm import hookimpl
from tgllm.api import ChatRequest, Finished, ModelInfo, PluginContext, PluginInfo, Provider, ProviderSpec, TextDelta
from tgllm.api.events import StreamEvent


class FloorProvider(Provider):
    """Provider that sends the conversation and passes on the pieces of the answer."""

    def __init__(self, url: str) -> None:
        """Create a provider that uses the server at ``url``."""
        from benchmarks.completion import Completions  # noqa: PLC0415  imported only when the provider is created

        self._completions = Completions(url)

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Return the only model."""
        return (ModelInfo("model"),)

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream a completion."""
        messages = [{"role": message.role, "content": message.text} for message in request.messages]
        async for piece in self._completions.stream(messages):
            yield TextDelta(piece)
        yield Finished()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._completions.aclose()


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the plugin's metadata."""
    return PluginInfo(id="benchmark", title="Benchmark", api="1.0")


@hookimpl
def tgllm_providers() -> tuple[ProviderSpec, ...]:
    """Return the provider of the measured bot, ``benchmark`` or ``floor``: the other's client would be counted too."""
    offered = (
        ProviderSpec(id="benchmark", title="Benchmark", create=_create),
        ProviderSpec(id="floor", title="Floor", create=lambda _ctx: FloorProvider(os.environ["BENCHMARK_MODEL_URL"])),
    )
    wanted = os.environ["TGLLM_DEFAULT_MODEL"].partition("/")[0]
    return tuple(spec for spec in offered if spec.id == wanted)


def _create(ctx: PluginContext) -> Provider:
    from tgllm.providers.http import ProviderHttp  # noqa: PLC0415  imported only when the provider is created
    from tgllm.providers.openai_chat import OpenAIChatClient  # noqa: PLC0415  only the provider needs it

    return OpenAIChatClient(ProviderHttp(f"{os.environ['BENCHMARK_MODEL_URL']}/v1"), ctx.clock)
