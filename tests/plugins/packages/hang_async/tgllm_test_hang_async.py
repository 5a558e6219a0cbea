"""Never ends an asynchronous hook."""

import asyncio

from tgllm import hookimpl
from tgllm.api import PluginInfo


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="hang_async", title="Hang async", api="1.0")


@hookimpl
async def tgllm_startup() -> None:
    await asyncio.Event().wait()
