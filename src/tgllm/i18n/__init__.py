"""Texts shown to people: one TOML file for each language."""

from tgllm.i18n.catalogue import Catalogue, TextError, languages, speaks
from tgllm.i18n.errors import error_text
from tgllm.i18n.plugin_texts import BroughtTexts, PluginTexts, read_texts

__all__ = ["BroughtTexts", "Catalogue", "PluginTexts", "TextError", "error_text", "languages", "read_texts", "speaks"]
