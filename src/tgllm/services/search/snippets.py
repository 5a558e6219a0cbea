"""Parts of found messages, around the words that were looked for."""

from dataclasses import dataclass
from typing import Final

from tgllm.services.common.text import without_controls
from tgllm.services.search.folding import Span, normal, spans_of

__all__ = ["Snippet", "snippet"]

_BEFORE: Final = 0.35
"""Share of the length that stands before the first word."""
_ELLIPSIS: Final = "…"


@dataclass(frozen=True, slots=True)
class Snippet:
    """One line of a message."""

    text: str
    spans: tuple[Span, ...]
    """The found words."""


def snippet(text: str, words: list[str], length: int) -> Snippet:
    """Return about ``length`` characters of a text on one line, around the first of the words that it contains."""
    line = " ".join(without_controls(normal(text)).split())
    spans = spans_of(line, words)
    first = spans[0].start if spans else 0
    start = max(0, min(first - int(length * _BEFORE), len(line) - length))
    if start:
        # Not in the middle of a word, if the next one begins before what was found.
        space = line.find(" ", start, first)
        start = start if space < 0 else space + 1
    end = min(len(line), start + length)
    before, after = _ELLIPSIS if start else "", _ELLIPSIS if end < len(line) else ""
    moved = len(before) - start
    inside = (Span(each.start + moved, min(each.end, end) + moved) for each in spans if start <= each.start < end)
    return Snippet(before + line[start:end] + after, tuple(inside))
