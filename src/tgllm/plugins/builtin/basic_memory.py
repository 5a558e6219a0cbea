"""Built-in plugin that owns the tools of the memory; the program adds them, since they need its services.

Operators switch the tools off by ``disable_plugins = ["basic_memory"]``; the commands stay.
"""

from tgllm import hookimpl
from tgllm.api.context import PluginInfo

__all__ = ["tgllm_plugin_info"]


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the plugin's id and title."""
    return PluginInfo(id="basic_memory", title="Memory", api="1.2")
