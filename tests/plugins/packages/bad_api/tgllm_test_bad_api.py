"""Wants an API that this tgllm does not have."""

from tgllm import hookimpl
from tgllm.api import PluginInfo


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="bad_api", title="Bad api", api="1.7")
