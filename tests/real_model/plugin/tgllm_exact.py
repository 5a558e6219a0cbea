"""A plugin that lets every model answer by its likeliest words, so that the same question has the same answer."""

from dataclasses import replace

from tgllm import hookimpl
from tgllm.api import ChatRequest, PluginInfo


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo("exact", "Exact", "1.0")


@hookimpl
def tgllm_before_request(request: ChatRequest) -> ChatRequest:
    return replace(request, temperature=0.0, max_output_tokens=48)
