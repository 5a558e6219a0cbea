"""Folded text, in which the search compares: without differences of case, of width, and of ё."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

__all__ = ["FOLD_VERSION", "Span", "fold", "normal", "spans_of", "words_of"]

FOLD_VERSION: Final = f"2:{unicodedata.unidata_version}"
"""Changes with the result of ``fold``: the index must then be built anew."""

MOST_WORDS: Final = 8
_SPACES: Final = re.compile(" {2,}")
_TERM: Final = re.compile(r'"([^"]*)"|([^\s"]+)')


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text: from one character up to, but not including, another."""

    start: int
    end: int


class _Folded(dict[int, str]):
    """Folded characters by code point, made when they first occur."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        folded = " " if char.isspace() else unicodedata.normalize("NFKC", char).casefold().replace("ё", "\u0435")
        self[code] = folded
        return folded


_FOLDED: Final = _Folded()


def normal(text: str) -> str:
    """Return a text in the form in which ``spans_of`` counts its characters."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Return a text as the search compares it; a phrase also matches where its words stand in different paragraphs."""
    return _SPACES.sub(" ", normal(text).translate(_FOLDED))


def words_of(query: str) -> list[str]:
    """Return the folded words of a query; words between double quotes are one."""
    found = (" ".join(fold(quoted or word).split()) for quoted, word in _TERM.findall(query))
    return list(dict.fromkeys(word for word in found if word))[:MOST_WORDS]


def spans_of(text: str, words: list[str]) -> list[Span]:
    """Return where a normal text contains folded words, in order and without overlaps."""
    lengths = [len(_FOLDED[ord(char)]) for char in text]
    places = [index for index, length in enumerate(lengths) for _ in range(length)]
    folded = text.translate(_FOLDED)
    spans: list[Span] = []
    for match in re.finditer("|".join(map(re.escape, sorted(words, key=len, reverse=True))), folded):
        if match.end() > match.start():
            span = Span(places[match.start()], places[match.end() - 1] + 1)
            if not spans or span.start >= spans[-1].end:
                spans.append(span)
    return spans
