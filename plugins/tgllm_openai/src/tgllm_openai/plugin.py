"""Hooks of the OpenAI plugin. Presets and the API client are imported only when they are needed."""

from collections.abc import Callable, Sequence

from tgllm import hookimpl
from tgllm.api.context import Check, PluginContext, PluginInfo
from tgllm.api.provider import Provider, ProviderPreset, ProviderSpec
from tgllm_openai.settings import Settings
from tgllm_openai.variables import VARIABLES

__all__ = ["tgllm_doctor", "tgllm_plugin_info", "tgllm_providers"]


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the description of the plugin."""
    env = {"api_key": "OPENAI_API_KEY", **{f"common_keys.{name}": name for name in VARIABLES}}
    return PluginInfo(
        id="openai", title="OpenAI and compatible", api="1.2", settings=Settings, env=env, presets=_presets
    )


@hookimpl
def tgllm_providers(ctx: PluginContext) -> Sequence[ProviderSpec]:
    """Return a provider for each service of the settings."""
    from tgllm_openai.services import offered  # noqa: PLC0415  it reads the table of presets

    return [
        ProviderSpec(id=setup.id, title=setup.title, create=_creator(setup.id))
        for setup in offered(_settings(ctx)).values()
    ]


@hookimpl
def tgllm_doctor(ctx: PluginContext) -> Sequence[Check]:
    """Check the key and the address of each service, and show the proxy."""
    from tgllm_openai.checks import checks  # noqa: PLC0415  needed by tgllm doctor only

    return checks(_settings(ctx))


def _presets() -> Sequence[ProviderPreset]:
    from tgllm_openai.offers import offers  # noqa: PLC0415  needed by tgllm init only

    return tuple(offers())


def _creator(service: str) -> Callable[[PluginContext], Provider]:
    def create(ctx: PluginContext) -> Provider:
        from tgllm_openai.services import setup_of  # noqa: PLC0415  it reads the table of presets

        setup = setup_of(_settings(ctx), service)
        setup.check()
        from tgllm_openai.provider import create_provider  # noqa: PLC0415  it loads the HTTP client

        return create_provider(setup, ctx.clock)

    return create


def _settings(ctx: PluginContext) -> Settings:
    return ctx.settings if isinstance(ctx.settings, Settings) else Settings()
