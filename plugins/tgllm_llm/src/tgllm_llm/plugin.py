"""Hooks of the llm plugin. The library is imported only when a model is needed."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path

from tgllm import hookimpl
from tgllm.api.context import Check, PluginContext, PluginInfo
from tgllm.api.provider import Provider, ProviderSpec
from tgllm_llm.settings import Settings

__all__ = ["tgllm_doctor", "tgllm_plugin_info", "tgllm_providers"]


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the description of the plugin."""
    return PluginInfo(
        id="llm", title="Plugins of llm", api="1.1", settings=Settings, env={"user_path": "LLM_USER_PATH"}
    )


@hookimpl
def tgllm_providers() -> Sequence[ProviderSpec]:
    """Return the provider ``llm``."""
    return (ProviderSpec(id="llm", title="Plugins of llm", create=_create),)


@hookimpl
def tgllm_doctor(ctx: PluginContext[Settings]) -> Sequence[Check]:
    """Show which plugins of llm are installed, without loading them."""
    name = "llm: plugins"
    try:
        installed = f"llm {version('llm')}"
    except PackageNotFoundError:
        return (Check(name, "failed", "the package llm is missing: pip install llm"),)
    folder = ctx.settings.user_path
    if folder and not Path(folder).expanduser().is_dir():
        return (Check(name, "failed", f"user_path: there is no folder {folder}"),)
    packages = sorted({point.dist.name for point in entry_points(group="llm") if point.dist is not None})
    others = ", ".join(packages) or "no plugins, so only OpenAI's models; install one, such as llm-anthropic"
    return (Check(name, "ok", f"{installed}: {others}"),)


def _create(ctx: PluginContext[Settings]) -> Provider:
    # Imported here, because it loads llm and all of its plugins, which takes seconds.
    from tgllm_llm.provider import LlmProvider  # noqa: PLC0415  see above

    return LlmProvider(ctx.settings, ctx.clock, ctx.log)
