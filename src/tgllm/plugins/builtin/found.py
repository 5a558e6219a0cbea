"""List of the built-in plugins, in the form that discovery returns."""

import tgllm
from tgllm.plugins.discovery import FoundPlugin

__all__ = ["BUILTIN"]

BUILTIN = tuple(
    FoundPlugin(
        id=plugin_id,
        package="tgllm",
        version=tgllm.__version__,
        value=f"tgllm.plugins.builtin.{plugin_id}",
        summary=summary,
        builtin=True,
    )
    for plugin_id, summary in (
        ("basics", "The commands /ping and /help."),
        ("echo", "A provider that streams back what it was told; needs no key and no network."),
    )
)
"""The built-in plugins, in order of id."""
