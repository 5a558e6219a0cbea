"""Hooks of the Mistral plugin. The API client is imported only when the provider is created."""

from collections.abc import Sequence

from tgllm import hookimpl
from tgllm.api.context import Check, PluginContext, PluginInfo
from tgllm.api.errors import NotConfigured
from tgllm.api.provider import Provider, ProviderSpec
from tgllm_mistral.settings import Settings

__all__ = ["tgllm_doctor", "tgllm_plugin_info", "tgllm_providers"]

_VARIABLE = "MISTRAL_API_KEY"


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the description of the plugin."""
    return PluginInfo(id="mistral", title="Mistral", api="1.2", settings=Settings, env={"api_key": _VARIABLE})


@hookimpl
def tgllm_providers() -> Sequence[ProviderSpec]:
    """Return the provider ``mistral``."""
    return (ProviderSpec(id="mistral", title="Mistral", create=_create),)


@hookimpl
def tgllm_doctor(ctx: PluginContext) -> Sequence[Check]:
    """Check whether the key is set, and show the proxy."""
    if _key(ctx):
        return (Check("Mistral: key", "ok"), _proxy(_settings(ctx)))
    return (Check("Mistral: key", "not configured", f"set {_VARIABLE} to use Mistral's models"),)


def _proxy(settings: Settings) -> Check:
    from tgllm.providers.proxies import proxy_check  # noqa: PLC0415  needed by tgllm doctor only

    return proxy_check("Mistral", settings.base_url, settings.proxy.get_secret_value() if settings.proxy else None)


def _create(ctx: PluginContext) -> Provider:
    key = _key(ctx)
    if not key:
        raise NotConfigured(f"Mistral has no key: set {_VARIABLE}", variable=_VARIABLE)
    from tgllm_mistral.provider import MistralProvider  # noqa: PLC0415  it loads the HTTP client

    return MistralProvider(_settings(ctx), key, ctx.clock)


def _key(ctx: PluginContext) -> str:
    """Return the key, stripped of white space; empty if it is not set."""
    secret = _settings(ctx).api_key
    return secret.get_secret_value().strip() if secret else ""


def _settings(ctx: PluginContext) -> Settings:
    return ctx.settings if isinstance(ctx.settings, Settings) else Settings()
