"""Plugin with two providers that stream from the benchmarks' model server.

``benchmark`` uses ``tgllm.providers``, as plugin authors do; ``floor`` uses the client of the bare bot.
"""

import os
import random
from collections.abc import AsyncGenerator

from tgllm import hookimpl
from tgllm.api import (
    ChatRequest,
    Finished,
    ModelInfo,
    PluginContext,
    PluginInfo,
    Provider,
    ProviderSpec,
    TextDelta,
    ToolSpec,
    ToolUse,
)
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
    return PluginInfo(id="benchmark", title="Benchmark", api="1.2")


@hookimpl
def tgllm_providers() -> tuple[ProviderSpec, ...]:
    """Return the provider of the measured bot, ``benchmark`` or ``floor``: the other's client would be counted too."""
    offered = (
        ProviderSpec(id="benchmark", title="Benchmark", create=_create),
        ProviderSpec(id="floor", title="Floor", create=lambda _ctx: FloorProvider(os.environ["BENCHMARK_MODEL_URL"])),
    )
    wanted = os.environ["TGLLM_DEFAULT_MODEL"].partition("/")[0]
    return tuple(spec for spec in offered if spec.id == wanted)


@hookimpl
def tgllm_tools() -> tuple[ToolSpec, ...]:
    """Return the tools of a run with kills; none otherwise."""
    if not os.environ.get("CHAOS_EFFECTS"):
        return ()
    schema = {"type": "object", "properties": {"question": {"type": "string"}}, "required": ["question"]}
    return (
        ToolSpec("look", "Looks at a question.", _do, schema, danger="read"),
        ToolSpec("act", "Does something once.", _do, schema, danger="write"),
        ToolSpec("order", "Orders something.", _do, schema, danger="dangerous"),
    )


async def _do(use: ToolUse) -> str:
    """Append a line to the file of effects; before and after it, a crash may come."""
    from benchmarks.chaos.effects import DONE  # noqa: PLC0415  not needed by other runs

    question = str(use.arguments["question"])
    await use.context.clock.sleep(random.random() * 0.3)  # noqa: S311  no secret
    file = os.open(os.environ["CHAOS_EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, f"{use.tool} {question}\n".encode())
    finally:
        os.close(file)
    await use.context.clock.sleep(random.random() * 0.3)  # noqa: S311  no secret
    return DONE


def _create(ctx: PluginContext) -> Provider:
    from tgllm.providers.http import ProviderHttp  # noqa: PLC0415  imported only when the provider is created
    from tgllm.providers.openai_chat import OpenAIChatClient  # noqa: PLC0415  only the provider needs it

    class Client(OpenAIChatClient):
        supports_tools = bool(os.environ.get("CHAOS_EFFECTS"))

    return Client(ProviderHttp(f"{os.environ['BENCHMARK_MODEL_URL']}/v1"), ctx.clock)
