"""Plural forms by the Unicode CLDR plural rules (Language Plural Rules, cardinals)."""

from collections.abc import Callable, Mapping
from typing import Final

__all__ = ["FORMS", "plural_form"]

FORMS: Final[Mapping[str, frozenset[str]]] = {
    "en": frozenset({"one", "other"}),
    "ru": frozenset({"one", "few", "many", "other"}),
}
"""Plural forms that a text with a count has, by language."""


def _english(count: float) -> str:
    return "one" if count == 1 and isinstance(count, int) else "other"


def _russian(count: float) -> str:
    if not isinstance(count, int):
        return "other"
    tens, ones = abs(count) % 100, abs(count) % 10
    if ones == 1 and tens != 11:
        return "one"
    if ones in {2, 3, 4} and tens not in {12, 13, 14}:
        return "few"
    return "many"


_RULES: Final[Mapping[str, Callable[[float], str]]] = {"en": _english, "ru": _russian}


def plural_form(language: str, count: float) -> str:
    """Return the plural form for a number: ``one``, ``few``, ``many`` or ``other`` (in Russian, for fractions).

    A language without a rule here uses the English rule.
    """
    return _RULES.get(language, _english)(count)
