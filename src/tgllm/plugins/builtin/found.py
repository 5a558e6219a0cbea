"""List of the built-in plugins, in the form that discovery returns."""

import tgllm
from tgllm.plugins.discovery import FoundPlugin

__all__ = ["BUILTIN"]

BUILTIN = tuple(
    FoundPlugin(
        id=plugin_id,
        package="tgllm",
        version=tgllm.__version__,
        value=module,
        summary=summary,
        builtin=True,
    )
    for plugin_id, module, summary in (
        (
            "basic_memory",
            "tgllm.plugins.builtin.basic_memory",
            "Tools with which a model proposes facts and searches the chat.",
        ),
        ("basic_tools", "tgllm.plugins.builtin.basic_tools", "The tools calculator and clock, which models may call."),
        ("basics", "tgllm.plugins.builtin.basics", "The commands /ping and /help."),
        (
            "echo",
            "tgllm.plugins.builtin.echo",
            "A provider that streams back what it was told; needs no key and no network.",
        ),
        ("files", "tgllm.plugins.builtin.files.plugin", "Readers of documents, tables, mails, archives and texts."),
    )
)
"""The built-in plugins, in order of id."""
