"""Calls itself something else than its entry point does."""

from tgllm import hookimpl
from tgllm.api import PluginInfo


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="somebody_else", title="Somebody else", api="1.0")
