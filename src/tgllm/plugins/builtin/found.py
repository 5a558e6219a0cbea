"""List of the built-in plugins, in the form that discovery returns."""

import tgllm
from tgllm.plugins.discovery import FoundPlugin

__all__ = ["BUILTIN"]

BUILTIN = tuple(
    FoundPlugin(
        id=plugin_id,
        package="tgllm",
        version=tgllm.__version__,
        value=f"tgllm.plugins.builtin.{module}",
        summary=summary,
        builtin=True,
    )
    for plugin_id, module, summary in (
        ("basics", "basics", "The commands /ping and /help."),
        ("echo", "echo", "A provider that streams back what it was told; needs no key and no network."),
        ("files", "files.plugin", "Readers of documents, tables, mails, archives and texts."),
    )
)
"""The built-in plugins, in order of id."""
