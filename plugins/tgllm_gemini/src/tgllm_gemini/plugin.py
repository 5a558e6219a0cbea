"""Hooks of the Google Gemini plugin. The API client is imported only when the provider is created."""

from collections.abc import Sequence

from tgllm import hookimpl
from tgllm.api.context import Check, PluginContext, PluginInfo
from tgllm.api.errors import NotConfigured
from tgllm.api.provider import Provider, ProviderSpec
from tgllm_gemini.settings import Settings

__all__ = ["tgllm_doctor", "tgllm_plugin_info", "tgllm_providers"]

_VARIABLE = "GEMINI_API_KEY"


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the description of the plugin."""
    return PluginInfo(id="gemini", title="Google Gemini", api="1.2", settings=Settings, env={"api_key": _VARIABLE})


@hookimpl
def tgllm_providers() -> Sequence[ProviderSpec]:
    """Return the provider ``gemini``."""
    return (ProviderSpec(id="gemini", title="Google Gemini", create=_create, aliases=("google",)),)


@hookimpl
def tgllm_doctor(ctx: PluginContext) -> Sequence[Check]:
    """Check whether the key or a Vertex AI project is set, and show the proxy."""
    settings = _settings(ctx)
    if settings.project:
        found = Check("Gemini: project", "ok", f"{settings.project} in {settings.location}, on Vertex AI")
        return (found, _proxy(settings))
    if _key(settings):
        return (Check("Gemini: key", "ok"), _proxy(settings))
    return (Check("Gemini: key", "not configured", f"set {_VARIABLE} to use Google's models"),)


def _proxy(settings: Settings) -> Check:
    from tgllm.providers.proxies import proxy_check  # noqa: PLC0415  needed by tgllm doctor only

    return proxy_check("Gemini", settings.address, settings.proxy.get_secret_value() if settings.proxy else None)


def _create(ctx: PluginContext) -> Provider:
    settings = _settings(ctx)
    key = _key(settings)
    if not key and not settings.project:
        raise NotConfigured(f"Gemini has no key: set {_VARIABLE}", variable=_VARIABLE)
    from tgllm_gemini.provider import GeminiProvider  # noqa: PLC0415  Google's SDK takes a second and 75 MB

    return GeminiProvider(settings, key, ctx.clock)


def _key(settings: Settings) -> str:
    """Return the key, stripped of white space; empty if it is not set."""
    secret = settings.api_key
    return secret.get_secret_value().strip() if secret else ""


def _settings(ctx: PluginContext) -> Settings:
    return ctx.settings if isinstance(ctx.settings, Settings) else Settings()
