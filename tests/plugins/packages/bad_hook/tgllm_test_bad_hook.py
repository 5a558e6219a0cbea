"""Implements a hook that does not exist."""

from tgllm import hookimpl
from tgllm.api import PluginInfo


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="bad_hook", title="Bad hook", api="1.0")


@hookimpl
def tgllm_provders() -> None:
    return None
