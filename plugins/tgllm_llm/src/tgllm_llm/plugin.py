"""Hooks of the llm plugin. The library is imported only when a model is needed."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError

from tgllm import hookimpl
from tgllm.api.context import Check, PluginContext, PluginInfo
from tgllm.api.errors import NotConfigured
from tgllm.api.provider import Provider, ProviderSpec
from tgllm_llm.settings import Settings

__all__ = ["tgllm_doctor", "tgllm_plugin_info", "tgllm_providers"]


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the description of the plugin."""
    return PluginInfo(
        id="llm", title="Plugins of llm", api="1.2", settings=Settings, env={"user_path": "LLM_USER_PATH"}
    )


@hookimpl
def tgllm_providers() -> Sequence[ProviderSpec]:
    """Return the provider ``llm``."""
    return (ProviderSpec(id="llm", title="Plugins of llm", create=_create),)


@hookimpl
def tgllm_doctor(ctx: PluginContext[Settings]) -> Sequence[Check]:
    """Show which plugins of llm are installed, without loading them."""
    from tgllm_llm.presence import is_configured, missing, packages, user_dir  # noqa: PLC0415  needed by tgllm doctor only

    name = "llm: plugins"
    folder = user_dir(ctx.settings)
    if folder is not None and not folder.is_dir():
        return (Check(name, "failed", f"user_path: there is no folder {folder}"),)
    try:
        installed = ", ".join(f"{package} {number}" for package, number in packages().items())
    except PackageNotFoundError:
        return (Check(name, "failed", "the package llm is missing: pip install llm"),)
    if not is_configured(ctx.settings):
        return (Check(name, "not configured", missing()),)
    return (Check(name, "ok", installed),)


def _create(ctx: PluginContext[Settings]) -> Provider:
    from tgllm_llm.presence import is_configured, missing  # noqa: PLC0415  it looks at all installed packages

    if not is_configured(ctx.settings):
        raise NotConfigured(missing())
    from tgllm_llm.provider import LlmProvider  # noqa: PLC0415  it loads llm and its plugins, which takes seconds

    return LlmProvider(ctx.settings, ctx.clock, ctx.log, ctx.data_dir)
