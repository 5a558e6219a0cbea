"""The hooks of the Dipseek plugin. Light: nothing here imports an SDK."""

from tgllm import hookimpl
from tgllm.api.context import PluginInfo
from tgllm_dipseek.settings import Settings

__all__ = ["tgllm_plugin_info"]


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Say who the plugin is and which settings it takes."""
    return PluginInfo(
        id="dipseek",
        title="Dipseek",
        api="1.0",
        settings=Settings,
        env={"api_key": "DEEPSEEK_API_KEY"},
    )
