"""Gives a provider the name of a built-in one."""

from collections.abc import Sequence

from tgllm import hookimpl
from tgllm.api import NotConfigured, PluginContext, PluginInfo, Provider, ProviderSpec


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="zz_clash", title="Zz clash", api="1.0")


def create(ctx: PluginContext) -> Provider:
    raise NotConfigured(ctx.plugin_id)


@hookimpl
def tgllm_providers() -> Sequence[ProviderSpec]:
    return [ProviderSpec(id="echo", title="Another echo", create=create)]
