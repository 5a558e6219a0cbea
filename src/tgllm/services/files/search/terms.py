"""What a question asks for, as terms to look up in the full-text indexes."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from tgllm.db.engine.full_text import character_runs, pairs, plain_words
from tgllm.services.files.search.stop_words import stop_words

__all__ = ["MOST_CHARS", "Term", "is_overview", "plain", "similarity", "terms_of"]

MOST_CHARS: Final = 6_000
"""Characters of a question that are looked at: half of them at its beginning, half at its end."""
MOST_TERMS: Final = 40

_UNSPACED: Final = re.compile("[\u0e01-\u0e5b\u0e81-\u0edf\u1000-\u109f\u1780-\u17ff]+")
"""Thai, Lao, Burmese, Khmer: no spaces between words, several characters a syllable."""
_HIRAGANA: Final = re.compile("[\u3040-\u309f]+")
_NUMBER: Final = re.compile(r"\d+")
_GROUPED: Final = re.compile("(?<=\\d)[ \u00a0\u202f,.'\u2019](?=\\d{3}(?!\\d))")
_ARTICLE: Final = re.compile("^[\u0648\u0628\u0643\u0641]?(?:\u0627\u0644|\u0644\u0644)(?=[\u0620-\u064a]{3})")
"""Arabic article, with what may stand before it: it is written as a part of the word."""
_ACCENTED: Final = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")
_LEAST_SIMILAR: Final = 0.6


@dataclass(frozen=True, slots=True)
class Term:
    """Something to look up."""

    text: str
    kind: Literal["word", "number", "pair", "part"]
    """``word``: in its inflected forms; ``number``: as it is, or with separators of thousands; ``pair``: two characters
    of Chinese, Japanese or Korean; ``part``: three characters of another script without spaces."""


def plain(text: str) -> str:
    """Return a text in lower case, and its Latin letters without accents, as the index of words holds it."""
    return _ACCENTED.sub(
        lambda found: unicodedata.normalize("NFD", found[0])[0], text.casefold().replace("ё", "\u0435")
    )


def terms_of(question: str) -> list[Term]:
    """Return the terms of a question in order, without words that are in questions about anything."""
    if len(question) > MOST_CHARS:
        question = f"{question[: MOST_CHARS // 2]} {question[-MOST_CHARS // 2 :]}"
    question = unicodedata.normalize("NFC", question)
    return list(dict.fromkeys(_terms(question)))[:MOST_TERMS]


def is_overview(question: str) -> bool:
    """Return whether a question is about a text as a whole, such as "summarise it"."""
    asked = question[:MOST_CHARS].casefold()
    return any(stem in asked for stem in stop_words().overview)


def similarity(word: str, other: str) -> float:
    """Return how much two words look like forms of the same word: 1 if they are equal, 0 if not at all."""
    if word == other:
        return 1.0
    # Other digits are another thing, such as part 12 and part 13.
    if word[-1:].isdigit() or other[-1:].isdigit():
        return 0.0
    short = min(len(word), len(other))
    common = 0
    while common < short and word[common] == other[common]:
        common += 1
    # An ending is shorter than what it stands behind.
    if common < 3 or max(len(word), len(other)) - common > round(common * 0.7):
        return 0.0
    found = 2 * common / (len(word) + len(other))
    return found if found >= _LEAST_SIMILAR else 0.0


def _terms(question: str) -> Iterator[Term]:
    for run in character_runs().findall(question):
        for pair in pairs(run):
            if pair not in stop_words().pairs and not _HIRAGANA.fullmatch(pair):
                yield Term(pair, "pair")
    for run in _UNSPACED.findall(question):
        yield from (Term(run[i : i + 3], "part") for i in range(len(run) - 2))
    spaced = _GROUPED.sub("", _UNSPACED.sub(" ", character_runs().sub(" ", question)))
    for word in plain_words(plain(spaced)):
        if _NUMBER.fullmatch(word):
            yield Term(word, "number")
        elif word not in stop_words().words and not (len(word) == 1 and word.isascii()):
            yield Term(_ARTICLE.sub("", word), "word")
