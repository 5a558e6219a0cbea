"""Hooks of the Dipseek plugin. The API client is imported only when the provider is created."""

from collections.abc import Sequence

from tgllm import hookimpl
from tgllm.api.context import Check, PluginContext, PluginInfo
from tgllm.api.errors import NotConfigured
from tgllm.api.provider import Provider, ProviderSpec
from tgllm_dipseek.settings import Settings

__all__ = ["tgllm_doctor", "tgllm_plugin_info", "tgllm_providers"]

_VARIABLE = "DEEPSEEK_API_KEY"


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the description of the plugin."""
    return PluginInfo(id="dipseek", title="Dipseek", api="1.2", settings=Settings, env={"api_key": _VARIABLE})


@hookimpl
def tgllm_providers() -> Sequence[ProviderSpec]:
    """Return the provider ``dipseek``, with the alias ``deepseek``."""
    return (ProviderSpec(id="dipseek", title="Dipseek", create=_create, aliases=("deepseek",)),)


@hookimpl
def tgllm_doctor(ctx: PluginContext) -> Sequence[Check]:
    """Check whether the key is set, and show the proxy."""
    if _key(ctx):
        return (Check("Dipseek: key", "ok"), _proxy(_settings(ctx)))
    return (Check("Dipseek: key", "not configured", f"set {_VARIABLE} to use DeepSeek's models"),)


def _proxy(settings: Settings) -> Check:
    from tgllm.providers.proxies import proxy_check  # noqa: PLC0415  needed by tgllm doctor only

    return proxy_check("Dipseek", settings.base_url, settings.proxy.get_secret_value() if settings.proxy else None)


def _create(ctx: PluginContext) -> Provider:
    key = _key(ctx)
    if not key:
        raise NotConfigured(f"Dipseek has no key: set {_VARIABLE}", variable=_VARIABLE)
    from tgllm_dipseek.provider import DipseekProvider  # noqa: PLC0415  it loads the HTTP client

    return DipseekProvider(_settings(ctx), key, ctx.clock)


def _key(ctx: PluginContext) -> str:
    """Return the key, stripped of white space; empty if it is not set."""
    secret = _settings(ctx).api_key
    return secret.get_secret_value().strip() if secret else ""


def _settings(ctx: PluginContext) -> Settings:
    return ctx.settings if isinstance(ctx.settings, Settings) else Settings()
