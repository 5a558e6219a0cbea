"""Words of questions that say nothing about what is asked: function words, and words about reading and files."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["StopWords", "stop_words"]


@dataclass(frozen=True, slots=True)
class StopWords:
    """The lists of ``stop_words.toml``."""

    words: frozenset[str]
    """In lower case and without accents, of all languages."""
    pairs: frozenset[str]
    """Pairs of Chinese, Japanese and Korean characters."""
    overview: Sequence[str]
    """What questions about a whole text contain, in lower case."""


@cache
def stop_words() -> StopWords:
    """Return the lists; they are read from disk on first use."""
    tables = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    words, pairs = (
        frozenset(word for line in tables[key].values() for word in line.split()) for key in ("words", "pairs")
    )
    return StopWords(words, pairs, tuple(tables["overview"]["stems"]))
