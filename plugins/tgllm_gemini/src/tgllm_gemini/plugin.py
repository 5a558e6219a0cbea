"""The hooks of the Google Gemini plugin. Light: nothing here imports an SDK."""

from tgllm import hookimpl
from tgllm.api.context import PluginInfo
from tgllm_gemini.settings import Settings

__all__ = ["tgllm_plugin_info"]


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Say who the plugin is and which settings it takes."""
    return PluginInfo(
        id="gemini",
        title="Google Gemini",
        api="1.0",
        settings=Settings,
        env={"api_key": "GEMINI_API_KEY"},
    )
