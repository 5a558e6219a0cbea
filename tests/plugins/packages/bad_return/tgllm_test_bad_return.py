"""Returns something else than a provider."""

from tgllm import hookimpl
from tgllm.api import PluginInfo


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="bad_return", title="Bad return", api="1.0")


@hookimpl
def tgllm_providers() -> object:
    return ["parrot"]
