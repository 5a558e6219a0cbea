"""Texts shown to people: one TOML file for each language."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tgllm.i18n.catalogue import Catalogue, TextError, languages, speaks
    from tgllm.i18n.errors import error_text
    from tgllm.i18n.plugin_texts import BroughtTexts, PluginTexts, read_texts

__all__ = ["BroughtTexts", "Catalogue", "PluginTexts", "TextError", "error_text", "languages", "read_texts", "speaks"]

_MODULES = ("catalogue", "errors", "plugin_texts")
"""In which names are looked for, in this order."""


def __getattr__(name: str) -> object:
    """Load what is asked for: a shell command that only writes numbers reads no texts."""
    for part in _MODULES if name in __all__ else ():
        module = import_module(f"{__name__}.{part}")
        if name in module.__all__:
            found = globals()[name] = getattr(module, name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
