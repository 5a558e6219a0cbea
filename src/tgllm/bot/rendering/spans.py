"""Text of any length with formatted ranges. Offsets are in characters, not in UTF-16 units."""

from collections.abc import Mapping
from dataclasses import dataclass

from tgllm.bot.rendering.payloads import EntityType

__all__ = ["FlatText", "Span", "SpanWriter"]


@dataclass(frozen=True, slots=True)
class Span:
    """A formatted range, in characters."""

    type: EntityType
    start: int
    end: int
    url: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class FlatText:
    """A text and its ranges: outer before inner ones, without partial overlaps."""

    text: str
    spans: tuple[Span, ...] = ()


# Of two ranges over the same text, the one with the lower rank is the outer one.
_RANKS: Mapping[EntityType, int] = {"blockquote": 0, "expandable_blockquote": 0, "text_link": 1, "code": 3, "pre": 3}


class SpanWriter:
    """Collects text and ranges."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._spans: list[Span] = []
        self._styles: dict[EntityType, int] = {}
        self._gap = 0
        self._indent = ""

    def flat(self) -> FlatText:
        """Return the text and ranges written so far."""
        spans = sorted(self._spans, key=lambda span: (span.start, -span.end, _RANKS.get(span.type, 2)))
        return FlatText("".join(self._pieces), tuple(spans))

    def write(self, text: str) -> None:
        """Add text, with the indentation after each of its newlines."""
        if text:
            if self._gap:
                self._fill_gap()
            self._add(text.replace("\n", "\n" + self._indent) if self._indent else text)

    def gap(self, newlines: int) -> None:
        """Separate the next text by at least ``newlines`` newlines; no effect at the start and the end."""
        if self._length and newlines > self._gap:
            self._gap = newlines

    def indent(self, indent: str) -> str:
        """Add to the indentation of further lines; return the one before, for ``dedent``."""
        before = self._indent
        self._indent += indent
        return before

    def dedent(self, before: str) -> None:
        """Return to the indentation before."""
        self._indent = before

    def begin(self) -> int:
        """Return the place at which the next text begins, for ``mark``."""
        self._fill_gap()
        return self._length

    def mark(self, kind: EntityType, start: int, *, url: str | None = None) -> None:
        """Format the text written since a place."""
        self._mark(Span(kind, start, self._length, url))

    def begin_style(self, style: EntityType) -> bool:
        """Apply a style to further text; return False if it is active already, and then don't end it."""
        if style in self._styles:
            return False
        self._fill_gap()
        self._styles[style] = self._length
        return True

    def end_style(self, style: EntityType) -> None:
        """End a style."""
        self._mark(Span(style, self._styles.pop(style), self._length))

    def code(self, text: str) -> None:
        """Add inline code. Styles end before it and continue after it. Bot API: "Formatting options".

        In a spoiler it is plain text, since code would not be hidden.
        """
        if "spoiler" in self._styles:
            self.write(text.replace("\n", " "))
            return
        self._unstyled("code", text.replace("\n", " "))

    def pre(self, text: str, language: str = "") -> None:
        """Add a code block unchanged, without indentation."""
        if text:
            self._fill_gap(indent="")
        self._unstyled("pre", text, language)

    def _unstyled(self, kind: EntityType, text: str, language: str = "") -> None:
        if not text:
            return
        self._fill_gap()
        start, end = self._length, self._length + len(text)
        for style, began in self._styles.items():
            self._mark(Span(style, began, start))
            self._styles[style] = end
        self._add(text)
        self._mark(Span(kind, start, end, language=language or None))

    def _fill_gap(self, indent: str | None = None) -> None:
        if self._gap:
            gap, self._gap = self._gap, 0
            self._add("\n" * gap + (self._indent if indent is None else indent))

    def _add(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)

    def _mark(self, span: Span) -> None:
        if span.end > span.start:
            self._spans.append(span)
