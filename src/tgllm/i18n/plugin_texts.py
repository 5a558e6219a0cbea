"""Texts of a plugin: a folder with one TOML file for each language; keys begin with the plugin's id."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tgllm.i18n.plurals import plural_form

if TYPE_CHECKING:
    # The import would load asyncio, which commands that only show a table don't need.
    from tgllm.api.context import Texts

__all__ = ["BroughtTexts", "PluginTexts", "read_texts"]

ENGLISH = "en"
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_LARGEST_FILE = 1_048_576
"""Maximum size in bytes; the bot's own catalogue has a tenth of that."""

Text = str | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BroughtTexts:
    """Texts found in a plugin's folder."""

    languages: Mapping[str, Mapping[str, Text]]
    """By language, then by key without the plugin's id; a text, or its plural forms by CLDR name."""
    problems: tuple[str, ...] = ()
    """Errors in the files, as sentences; the remaining texts can be used."""


class PluginTexts:
    """Catalogue of a plugin: its own texts under its id, and the bot's texts. Implements ``Texts``."""

    def __init__(self, plugin_id: str, brought: BroughtTexts, bot: "Texts", default: str = ENGLISH) -> None:
        """Combine a plugin's texts with the bot's.

        Args:
            plugin_id: prefix, with a dot, of the keys of the plugin's own texts.
            brought: texts of the plugin.
            bot: texts of the bot.
            default: fallback for people whose language is not known.
        """
        self._prefix = f"{plugin_id}."
        self._brought = brought.languages
        self._bot = bot
        self._default = default

    def __call__(self, key: str, language: str = "", **params: object) -> str:
        """Return the text in the nearest language: ``de-AT``, ``de``, the default, then English; else the key."""
        own = self._own(key)
        for code in (_short(language), _short(self._default), ENGLISH):
            text = self._brought.get(code, {}).get(own)
            if text is not None:
                return _filled(key, text, code, params)
        return self._bot(key, language, **params)

    def has(self, key: str) -> bool:
        """Return whether the plugin has a text with that key in any language."""
        return any(self._own(key) in texts for texts in self._brought.values())

    def _own(self, key: str) -> str:
        """Return a key without the plugin's id; empty for a key of the bot."""
        return key.removeprefix(self._prefix) if key.startswith(self._prefix) else ""


def read_texts(folder: Path) -> BroughtTexts:
    """Read a plugin's files. Blocks. Errors in a file are returned as problems, never raised."""
    languages: dict[str, Mapping[str, Text]] = {}
    problems: list[str] = []
    for path in _files(folder):
        found = dict[str, Text]()
        for key, value in _read(path, problems):
            found[key] = value
        languages[path.stem] = found
    if ENGLISH not in languages:
        problems.append(f"its folder of texts has no {ENGLISH}.toml, which stands in for other languages")
    return BroughtTexts(languages, tuple(problems))


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml" and _LANGUAGE.fullmatch(path.stem))
    except OSError:
        return []


def _read(path: Path, problems: list[str]) -> Iterator[tuple[str, Text]]:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ValueError(f"is larger than {_LARGEST_FILE} bytes")
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        # TOML errors and invalid UTF-8 are ValueErrors.
        problems.append(f"its texts in {path.name} can't be read: {str(error) or type(error).__name__}")
        return
    yield from _texts(tables, "", path.name, problems)


def _texts(table: Mapping[str, object], prefix: str, file: str, problems: list[str]) -> Iterator[tuple[str, Text]]:
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, str):
            yield key, value
        elif not isinstance(value, dict):
            problems.append(f"{key} in {file} is no text")
        elif "other" in value:
            forms = {str(form): words for form, words in cast("dict[object, object]", value).items()}
            if all(isinstance(words, str) for words in forms.values()):
                yield key, cast("Mapping[str, str]", forms)
            else:
                problems.append(f"a plural form of {key} in {file} is no text")
        else:
            yield from _texts(cast("Mapping[str, object]", value), f"{key}.", file, problems)


def _filled(key: str, text: Text, language: str, params: Mapping[str, object]) -> str:
    words = text if isinstance(text, str) else _form(text, language, params.get("count"))
    try:
        return words.format_map(params)
    except (LookupError, ValueError, AttributeError, TypeError):
        # Not raised, since an error in a chat helps no reader; the key shows the author what is missing.
        return f"{key}: {words}"


def _form(forms: Mapping[str, str], language: str, count: object) -> str:
    """Return the plural form for a count; ``other`` if the plugin has no such form or the count is not a number."""
    form = plural_form(language, count) if isinstance(count, int | float) else "other"
    return forms.get(form, forms["other"])


def _short(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()
