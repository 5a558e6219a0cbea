"""The Markdown parser: pyromark, which is the Rust crate pulldown-cmark."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, cast

import pyromark

__all__ = ["ParserEvent", "parser_events", "raw_events", "with_shown_definitions"]

ParserEvent = tuple[str, Any, int, int]
"""Kind, value, and the start and end in the source in bytes. Kinds and values: pyromark.event.Event."""

_OPTIONS = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
    | pyromark.Options.ENABLE_MATH
    | pyromark.Options.ENABLE_FOOTNOTES
)
_WITHOUT_MATH = _OPTIONS & ~pyromark.Options.ENABLE_MATH
_LABEL = re.compile(r"(?<!\\)\[((?:[^\[\]\\]|\\.){1,999}+)\]:", re.DOTALL)
_LEAVES = frozenset({"Text", "Code", "Html", "InlineHtml", "InlineMath", "DisplayMath"})


def parser_events(markdown: str, *, has_math: bool = True) -> Iterator[ParserEvent]:
    """Yield the parser's events in order.

    Args:
        markdown: without lone surrogates.
        has_math: whether dollar signs begin formulas.
    """
    for event, place in raw_events(markdown, has_math=has_math):
        if isinstance(event, str):
            yield event, None, place["start"], place["end"]
        else:
            [(kind, value)] = event.items()
            yield kind, value, place["start"], place["end"]


def raw_events(markdown: str, *, has_math: bool) -> Iterable[tuple[Any, Any]]:
    """Return the parser's events as they come from it, which is faster than ``parser_events``.

    An event is a string, or a dictionary with the kind as its only key; its place has a start and an end in bytes.
    """
    options = _OPTIONS if has_math else _WITHOUT_MATH
    return pyromark.events_with_range(markdown, options=options, merge_text=True)


def with_shown_definitions(markdown: str, *, has_math: bool = True) -> str:
    """Return the Markdown with unused link definitions escaped, so that they are shown as text.

    Models often end with a list of sources, ``[1]: https://...``, that no link refers to.
    """
    labels = list(_LABEL.finditer(markdown))
    if not labels:
        return markdown
    seen = _look(markdown, has_math=has_math)
    definitions = pyromark.reference_definitions(markdown, options=_OPTIONS)
    needed = {found["span"]["start"] for label, found in definitions.items() if _folded(label) in seen.used}
    pieces: list[str] = []
    done = place = 0
    was_hidden = False
    for match in labels:
        place += len(markdown[done : match.start()].encode())
        pieces.append(markdown[done : match.start()])
        done = match.start()
        if place in needed and was_hidden:
            # A definition can't interrupt a paragraph, which the escaped line before it now is.
            pieces.append("\n")
        was_hidden = place not in needed and not seen.shows(place)
        if was_hidden:
            pieces.append("\\")
    return "".join(pieces) + markdown[done:]


@dataclass(slots=True)
class _Seen:
    """How the parser interpreted the brackets of the source."""

    shown: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Byte ranges of the source whose text is shown, in order."""
    footnotes: set[int] = field(default_factory=set[int])
    """Byte offsets at which footnotes begin."""
    used: set[str] = field(default_factory=set[str])
    """Labels that links refer to."""

    def shows(self, place: int) -> bool:
        if place in self.footnotes:
            return True
        index = bisect_right(self.shown, place, key=itemgetter(0)) - 1
        return index >= 0 and place < self.shown[index][1]


def _look(markdown: str, *, has_math: bool) -> _Seen:
    seen = _Seen()
    for kind, value, start, end in parser_events(markdown, has_math=has_math):
        if kind in _LEAVES and "[" in value:
            seen.shown.append((start, end))
        elif kind == "Start" and isinstance(value, dict):
            name, data = next(iter(cast("dict[str, Any]", value).items()))
            if name == "FootnoteDefinition":
                seen.footnotes.add(start)
            elif name in {"Link", "Image"}:
                seen.used.add(_folded(str(data["id"])))
    return seen


def _folded(label: str) -> str:
    """Normalize a label: case and white space don't distinguish labels. CommonMark: "matches"."""
    return " ".join(label.split()).casefold()
