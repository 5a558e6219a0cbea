"""Lookup of texts by key and language, with their parameters filled in."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

from tgllm.i18n.plugin_texts import PluginTexts
from tgllm.i18n.plurals import FORMS, plural_form

__all__ = ["Catalogue", "Text", "TextError", "languages", "speaks", "texts_of"]

Text = str | Mapping[str, str]
"""A text, or its plural forms by CLDR name, chosen by the parameter ``count``."""

_FOLDER = Path(__file__).parent
_FALLBACK = "en"


class TextError(LookupError):
    """Missing text or parameter: a bug in the program, raised in strict mode only."""


@cache
def languages() -> frozenset[str]:
    """Return the available languages as two-letter codes."""
    return frozenset(path.stem for path in _FOLDER.glob("*.toml"))


@cache
def texts_of(language: str) -> Mapping[str, Text]:
    """Return all texts of a language by dotted key; they are read from disk on first use."""
    tables = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return dict(_flat(tables, ""))


def _flat(table: Mapping[str, object], prefix: str) -> list[tuple[str, Text]]:
    found: list[tuple[str, Text]] = []
    for name, value in table.items():
        key = f"{prefix}{name}"
        if not isinstance(value, dict):
            found.append((key, str(value)))
        elif "other" in value:
            found.append((key, cast("dict[str, str]", value)))
        else:
            found.extend(_flat(cast("dict[str, object]", value), f"{key}."))
    return found


class Catalogue:
    """Texts of the bot; implements ``tgllm.api.context.Texts``."""

    def __init__(self, default: str = _FALLBACK, *, strict: bool = False) -> None:
        """Create a catalogue.

        Args:
            default: fallback for people whose language is not available.
            strict: raise TextError if a text or a parameter is missing (for tests). Otherwise the key and the
                unformatted text are shown.
        """
        self._default = _known(default) or _FALLBACK
        self._strict = strict
        self._brought: dict[str, PluginTexts] = {}

    def __call__(self, key: str, language: str = "", **params: object) -> str:
        """Return the text of a key in the nearest language: ``ru-RU``, then ``ru``, then the default, then English."""
        code = _known(language) or self._default
        code = code if key in texts_of(code) else _FALLBACK
        text = texts_of(code).get(key)
        try:
            if text is None:
                raise KeyError(key)
            return _chosen(text, code, params).format_map(params)
        except (LookupError, ValueError, AttributeError, TypeError) as error:
            if self._strict:
                raise TextError(f"{key} in {code}: {error!r}") from error
            return f"{key}: {text}" if isinstance(text, str) else key

    def has(self, key: str) -> bool:
        """Return whether a text with that key exists."""
        return key in texts_of(_FALLBACK)

    def bring(self, plugin_id: str, texts: PluginTexts) -> None:
        """Register the texts of a plugin, for the errors that it raises."""
        self._brought[plugin_id] = texts

    def brought(self, key: str) -> PluginTexts | None:
        """Return the plugin texts that contain a key such as ``sheep.asleep``; None for any other key."""
        texts = self._brought.get(key.partition(".")[0])
        return texts if texts is not None and texts.has(key) else None


def speaks(language: str) -> bool:
    """Return whether the bot's own texts exist in a language, given by a tag such as ``ru`` or ``en-GB``."""
    return _known(language) is not None


def _known(language: str) -> str | None:
    code = language.replace("_", "-").partition("-")[0].lower() if language else ""
    return code if code in FORMS and code in languages() else None


def _chosen(text: Text, language: str, params: Mapping[str, object]) -> str:
    if isinstance(text, str):
        return text
    count = params["count"]
    if not isinstance(count, int | float):
        raise TypeError("count is no number")
    return text[plural_form(language, count)]
