"""Finds the text of a key in a person's language, and fills in its parameters."""

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
    """A text or one of its parameters is missing: a mistake in the program, shown loudly in tests only."""


@cache
def languages() -> frozenset[str]:
    """The languages there are, as two-letter codes."""
    return frozenset(path.stem for path in _FOLDER.glob("*.toml"))


@cache
def texts_of(language: str) -> Mapping[str, Text]:
    """All texts of a language by dotted key; read from disk when first asked for."""
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
    """The texts of the bot; implements ``tgllm.api.context.Texts``."""

    def __init__(self, default: str = _FALLBACK, *, strict: bool = False) -> None:
        """Make a catalogue.

        Args:
            default: the language for people whose own is not there.
            strict: raise TextError where a text or a parameter is missing. For tests: in a chat nobody is helped by
                an error, so the key and the text as it stands are shown.
        """
        self._default = _known(default) or _FALLBACK
        self._strict = strict
        self._brought: dict[str, PluginTexts] = {}

    def __call__(self, key: str, language: str = "", **params: object) -> str:
        """The text of that key in the nearest language: ``ru-RU``, then ``ru``, then the default, then English."""
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
        """Whether there is a text of that key."""
        return key in texts_of(_FALLBACK)

    def bring(self, plugin_id: str, texts: PluginTexts) -> None:
        """Take in the texts of a plugin, for the errors that it raises."""
        self._brought[plugin_id] = texts

    def brought(self, key: str) -> PluginTexts | None:
        """The texts in which a key of a plugin's own is found, such as ``sheep.asleep``; None for any other key."""
        texts = self._brought.get(key.partition(".")[0])
        return texts if texts is not None and texts.has(key) else None


def speaks(language: str) -> bool:
    """Whether the bot's own texts are there in a language, given by a tag such as ``ru`` or ``en-GB``."""
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
