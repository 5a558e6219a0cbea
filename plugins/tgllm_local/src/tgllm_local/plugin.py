"""Hooks of the Local plugin. The provider is imported only when it is created."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from tgllm import hookimpl
from tgllm.api.context import Check, PluginContext, PluginInfo
from tgllm.api.provider import Provider, ProviderSpec
from tgllm_local.settings import Settings

__all__ = ["tgllm_doctor", "tgllm_plugin_info", "tgllm_providers"]


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the description of the plugin."""
    texts = Path(__file__).parent / "texts"
    return PluginInfo(id="local", title="Local models", api="1.2", settings=Settings, texts=texts)


@hookimpl
def tgllm_providers() -> Sequence[ProviderSpec]:
    """Return the provider ``local``."""
    return (ProviderSpec(id="local", title="Local models", create=_create),)


@hookimpl
def tgllm_doctor() -> Sequence[Check]:
    """Check whether llama.cpp is installed."""
    if find_spec("xllamacpp") is None:
        return (Check("Local: llama.cpp", "not configured", "pip install xllamacpp to run models on this machine"),)
    return (Check("Local: llama.cpp", "ok"),)


def _create(ctx: PluginContext) -> Provider:
    from tgllm_local.errors import no_llama, no_models  # noqa: PLC0415  most commands need no provider
    from tgllm_local.files import find_files  # noqa: PLC0415  most commands need no provider

    if find_spec("xllamacpp") is None:
        raise no_llama()
    settings = ctx.settings if isinstance(ctx.settings, Settings) else Settings()
    place = settings.models.expanduser() if settings.models else ctx.data_dir / "models"
    found = find_files(place)
    if not found.models and not found.problems:
        raise no_models(place)
    from tgllm_local.provider import LocalProvider  # noqa: PLC0415  it loads the HTTP client

    return LocalProvider(settings, place, ctx.clock, ctx.log)
