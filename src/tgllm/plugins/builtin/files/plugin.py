"""Built-in plugin with the file handlers."""

from tgllm import hookimpl
from tgllm.api.context import PluginContext, PluginInfo
from tgllm.api.files import FileHandler
from tgllm.plugins.builtin.files import refusals
from tgllm.plugins.builtin.files.formats import table as formats
from tgllm.plugins.builtin.files.texts import table as texts

__all__ = ["tgllm_file_handlers", "tgllm_plugin_info"]

_HANDLERS = (
    *formats.HANDLERS,
    *refusals.HANDLERS,
    *texts.HANDLERS,
)


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the plugin's id and title."""
    return PluginInfo(id="files", title="Files", api="1.0")


# Of several handlers for a type the first one is used: those of other plugins precede the built-in ones.
@hookimpl(trylast=True)
def tgllm_file_handlers(ctx: PluginContext) -> tuple[FileHandler, ...]:  # noqa: ARG001  the hook's signature
    """Return the handlers, those of single types before those of many."""
    return _HANDLERS
