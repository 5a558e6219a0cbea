"""The hooks of the Mistral plugin. Light: nothing here imports an SDK."""

from tgllm import hookimpl
from tgllm.api.context import PluginInfo
from tgllm_mistral.settings import Settings

__all__ = ["tgllm_plugin_info"]


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Say who the plugin is and which settings it takes."""
    return PluginInfo(
        id="mistral",
        title="Mistral",
        api="1.0",
        settings=Settings,
        env={"api_key": "MISTRAL_API_KEY"},
    )
