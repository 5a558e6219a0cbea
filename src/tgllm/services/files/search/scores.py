"""How well the passages of a document match the terms of a question."""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tgllm.db.engine.full_text import character_runs, pairs, plain_words
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import passages
from tgllm.db.tables.passages import Document, Outline
from tgllm.services.files.search.terms import Term, plain, similarity

__all__ = ["Index", "Lookup", "TextLookup", "TitleIndex", "score"]

Hits = dict[int, float]
"""Numbers of passages, and how exactly they contain a term, from 0 to 1."""

MOST_FORMS: Final = 2_000
"""Words with the same beginning that are compared with a word of the question."""
MOST_SIMILAR: Final = 24
"""Inflected forms of a word that are looked up."""
MOST_PARTS: Final = 200
"""Passages in which a part of a word is verified; it is too common if there are more."""
LEAST_PART: Final = 5
LEAST_PREFIXED: Final = 3
PART_WEIGHT: Final = 0.5
NEIGHBOUR_WEIGHT: Final = 0.3
TITLE_WEIGHT: Final = 0.6
MOST_COUNTED: Final = 120
"""Best passages whose texts are read to count the terms in them."""
SATURATION: Final = 1.2
LENGTH_WEIGHT: Final = 0.5

_PREFIXED: Final = re.compile("[\u05d0-\u05ea\u0620-\u064a]")
"""Hebrew and Arabic: articles and prepositions are written as parts of words, which have few letters."""
_WORD: Final = re.compile(r"\w+")


class Lookup:
    """Finds terms in a document that is in the full-text indexes."""

    def __init__(self, conn: Connection, document: Document) -> None:
        """Use an open transaction."""
        self._conn = conn
        self._id = document.id

    def __call__(self, term: Term) -> Hits:
        """Return the passages that contain a term."""
        match term.kind:
            case "part":
                return dict.fromkeys(passages.find_trigrams(self._conn, self._id, term.text), 1.0)
            case "pair":
                return dict.fromkeys(passages.find_words(self._conn, self._id, term.text), 1.0)
            case "number":
                return self._number(term.text)
            case "word":
                return self._word(term.text)

    def _number(self, number: str) -> Hits:
        found = passages.find_words(self._conn, self._id, number)
        # A separator of thousands splits it in the index.
        groups = f"{int(number):,}".split(",") if 3 < len(number) < 16 and number[0] != "0" else []
        apart = passages.find_words(self._conn, self._id, " ".join(groups)) if groups else []
        return dict.fromkeys(apart, PART_WEIGHT) | dict.fromkeys(found, 1.0)

    def _word(self, word: str) -> Hits:
        prefix = word[: max(3, math.ceil(len(word) / 2))]
        forms = passages.find_forms(self._conn, prefix, MOST_FORMS)
        similar = [(similarity(word, form), form) for form in forms] if len(word) > 2 else [(1.0, word)]
        best = sorted(((found, form) for found, form in similar if found), key=lambda pair: (-pair[0], pair[1]))
        hits: Hits = {}
        for found, form in best[:MOST_SIMILAR]:
            for number in passages.find_words(self._conn, self._id, form):
                hits.setdefault(number, found)
        return self._inside(word) | hits

    def _inside(self, word: str) -> Hits:
        """Return the passages that contain a word as a part of a longer one, as in German."""
        part = _part_of(word)
        if not part:
            return {}
        found = passages.find_trigrams(self._conn, self._id, part)
        if len(found) > MOST_PARTS:
            return {}
        texts = passages.texts_of(self._conn, self._id, found)
        return {number: PART_WEIGHT for number, text in sorted(texts.items()) if part in text.casefold()}


class Index:
    """Finds terms in texts in memory: of documents that are not in the full-text indexes, and of headings."""

    def __init__(self, texts: Mapping[int, str]) -> None:
        """Index texts by their numbers."""
        self._texts = {number: plain(text) for number, text in texts.items()}
        self._words: dict[str, dict[int, None]] = {}
        self._forms: dict[str, list[str]] = {}
        for number, text in self._texts.items():
            for word in dict.fromkeys(plain_words(character_runs().sub(" ", text))):
                self._words.setdefault(word, {})[number] = None
            for run in dict.fromkeys(character_runs().findall(text)):
                for pair in pairs(run):
                    self._words.setdefault(pair, {})[number] = None
        for word in self._words:
            self._forms.setdefault(word[:3], []).append(word)

    def __call__(self, term: Term) -> Hits:
        """Return the texts that contain a term."""
        if term.kind == "part":
            return {number: 1.0 for number, text in self._texts.items() if term.text in text}
        if term.kind != "word":
            return dict.fromkeys(self._words.get(term.text, ()), 1.0)
        hits: Hits = {}
        for form in self._forms.get(term.text[:3], ()):
            if found := similarity(term.text, form):
                for number in self._words[form]:
                    hits[number] = max(hits.get(number, 0.0), found)
        part = _part_of(term.text)
        inside = [number for number, text in self._texts.items() if part in text] if part else []
        return dict.fromkeys(inside if len(inside) <= MOST_PARTS else (), PART_WEIGHT) | hits


TextLookup = Callable[[Term], Hits]
"""Finds a term: ``Lookup`` or ``Index``."""


@dataclass(frozen=True, slots=True)
class TitleIndex:
    """Index of the headings and part names of a document's passages."""

    index: Index
    passages: Mapping[int, Sequence[int]]
    """Passages by the number of their title in the index."""

    @classmethod
    def of(cls, outline: Sequence[Outline]) -> "TitleIndex":
        """Index the titles of an outline."""
        numbers: dict[str, list[int]] = {}
        for entry in outline:
            title = f"{entry.heading}\n{entry.headings}\n{_name_of(entry.part_from)}"
            if title.strip():
                numbers.setdefault(title, []).append(entry.number)
        return cls(Index(dict(enumerate(numbers))), dict(enumerate(numbers.values())))

    def __call__(self, term: Term) -> Hits:
        """Return the passages whose titles contain a term."""
        return {number: found for title, found in self.index(term).items() for number in self.passages[title]}


def score(
    terms: Mapping[Term, float],
    lookup: TextLookup,
    titles: TextLookup,
    count: int,
    read: Callable[[Collection[int]], Mapping[int, str]],
) -> list[float]:
    """Return a score for each passage; 0 for those without any of the terms.

    It is BM25 within the document: a term counts the more the fewer passages contain it, and the more often it is in
    a passage. Other documents make no difference, so that neither does what other people have sent.

    Args:
        terms: terms and their weights.
        lookup: finds terms in texts.
        titles: finds terms in titles.
        count: number of passages.
        read: returns the texts of passages; those of the best ones are read.
    """
    hits = {term: lookup(term) for term in terms}
    values = {term: weight * _rarity(len(hits[term]), count) for term, weight in terms.items()}
    scores = [0.0] * count
    for term, value in values.items():
        for number, found in hits[term].items():
            scores[number] += value * found
    best = sorted((number for number, found in enumerate(scores) if found), key=lambda n: (-scores[n], n))
    texts = read(best[:MOST_COUNTED])
    usual = sum(map(len, texts.values())) / max(len(texts), 1)
    for number, text in texts.items():
        often = _frequencies(text, terms, len(text) / max(usual, 1))
        # What could not be counted is there once.
        scores[number] = sum(
            value * max(often.get(term, 0.0), hits[term].get(number, 0.0) if term not in often else 0.0)
            for term, value in values.items()
        )
    for term, value in values.items():
        for number, found in titles(term).items():
            scores[number] += value * TITLE_WEIGHT * found
    return scores


def _rarity(found: int, count: int) -> float:
    return math.log(1 + (count - found + 0.5) / (found + 0.5))


def _frequencies(text: str, terms: Iterable[Term], length: float) -> dict[Term, float]:
    """Return how often a text contains each term, with less weight for each further time (BM25)."""
    text = plain(text)
    words = Counter(_WORD.findall(text))
    begins: dict[str, list[tuple[str, int]]] = {}
    for word, times in words.items():
        begins.setdefault(word[:3], []).append((word, times))
    found: dict[Term, float] = {}
    for term in terms:
        if term.kind == "word":
            same = ((similarity(term.text, word), times) for word, times in begins.get(term.text[:3], ()))
            often = sum(alike * times for alike, times in same)
        else:
            often = words[term.text] if term.kind == "number" else text.count(term.text)
        if often:
            found[term] = often * (SATURATION + 1) / (often + SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length))
    return found


def _part_of(word: str) -> str:
    """Return what of a word is looked for inside of longer ones: without an ending, which compounds don't have."""
    if _PREFIXED.search(word):
        return word if len(word) >= LEAST_PREFIXED else ""
    return word[: max(LEAST_PART, len(word) - 2)] if len(word) >= LEAST_PART else ""


def _name_of(part: str) -> str:
    """Return the name of a sheet or file; numbers of pages say nothing."""
    return "" if part.startswith(("page ", "slide ")) else part.partition(" ")[2]
