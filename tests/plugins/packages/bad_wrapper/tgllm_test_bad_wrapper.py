"""Wraps a hook."""

from collections.abc import Generator

from tgllm import hookimpl
from tgllm.api import PluginInfo


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="bad_wrapper", title="Bad wrapper", api="1.0")


@hookimpl(wrapper=True)
def tgllm_commands() -> Generator[None, object, object]:
    return (yield)
