"""Takes an argument that the hook does not have."""

from collections.abc import Sequence

from tgllm import hookimpl
from tgllm.api import PluginContext, PluginInfo, ProviderSpec


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="bad_signature", title="Bad signature", api="1.0")


@hookimpl
def tgllm_providers(contxt: PluginContext) -> Sequence[ProviderSpec]:
    return []
