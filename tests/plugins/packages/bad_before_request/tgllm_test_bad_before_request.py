"""Fails in every turn."""

from tgllm import hookimpl
from tgllm.api import ChatRequest, PluginInfo


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="bad_before_request", title="Bad before request", api="1.0")


@hookimpl
async def tgllm_before_request(request: ChatRequest) -> ChatRequest:
    raise ZeroDivisionError
