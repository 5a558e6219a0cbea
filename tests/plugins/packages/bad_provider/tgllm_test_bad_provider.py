"""Has a provider that fails in the middle of an answer."""

from collections.abc import AsyncGenerator, Sequence

from tgllm import hookimpl
from tgllm.api import ChatRequest, ModelInfo, PluginInfo, Provider, ProviderSpec, StreamEvent, TextDelta


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="bad_provider", title="Bad provider", api="1.0")


class Broken(Provider):
    async def list_models(self) -> Sequence[ModelInfo]:
        raise RuntimeError("no list")

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        yield TextDelta("The answer is ")
        raise RuntimeError("broke off")


@hookimpl
def tgllm_providers() -> Sequence[ProviderSpec]:
    return [ProviderSpec(id="broken", title="Broken", create=lambda _: Broken())]
