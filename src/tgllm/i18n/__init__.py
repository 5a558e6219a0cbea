"""The texts that people read, in every language that the bot speaks: one TOML file a language."""

from tgllm.i18n.catalogue import Catalogue, TextError, languages
from tgllm.i18n.errors import error_text

__all__ = ["Catalogue", "TextError", "error_text", "languages"]
