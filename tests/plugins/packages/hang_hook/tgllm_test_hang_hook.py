"""Never ends a hook that runs at start."""

import threading
from collections.abc import Sequence

from tgllm import hookimpl
from tgllm.api import ChatCommand, PluginInfo


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="hang_hook", title="Hang hook", api="1.0")


@hookimpl
def tgllm_commands() -> Sequence[ChatCommand]:
    threading.Event().wait()
    return []
