"""Formats of a text as Markdown, in which a model reads them.

Characters that people type are not escaped: typed Markdown reads as typed. No character of the text is lost, whatever
its entities are.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from tgllm.bot.updates.formats.entities import Entity
from tgllm.bot.updates.formats.marks import INLINE, Mark, nested_marks, without_overlaps
from tgllm.bot.updates.formats.written import Written

__all__ = ["markdown_of"]

_QUOTES: Final = frozenset({"blockquote", "expandable_blockquote"})
_FORMATS: Final = frozenset({*INLINE, *_QUOTES, "pre"})
_SIGNS: Final = {
    "spoiler": ("||", "||"),
    "underline": ("<u>", "</u>"),
    "strikethrough": ("~~", "~~"),
    "bold": ("**", "**"),
    "marked": ("<mark>", "</mark>"),
    "superscript": ("<sup>", "</sup>"),
    "subscript": ("<sub>", "</sub>"),
    "mathematical_expression": ("$", "$"),
    **{f"heading{size}": (f"{'#' * size} ", "") for size in range(1, 7)},
}
_BACKTICKS: Final = re.compile("`+")
_LANGUAGE: Final = re.compile(r"[^\s`]+")
_IN_BRACKETS: Final = {" ": "%20", "\t": "%09", "\n": "%0A", "\r": "%0D", "<": "%3C", ">": "%3E"}


def markdown_of(written: Written) -> str:
    """Return a text with its formats as Markdown, without white space around it."""
    if not any(entity.kind in _FORMATS for entity in written.entities):
        return written.text.strip()
    return _Writer(written).whole().strip()


class _Blocks:
    """Joins texts with blocks, which have lines of their own."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._gap = 0
        """Number of line breaks that the next part has to begin with."""

    def add(self, text: str) -> None:
        """Append a text."""
        if text:
            self._parts.append("\n" * (self._gap - (len(text) - len(text.lstrip("\n")))) + text)
            self._gap = 0

    def add_block(self, text: str, gap: int) -> None:
        """Append a block, to be followed by so many line breaks."""
        begins_line = not self._parts or self._parts[-1].endswith("\n")
        self._parts.append("\n" * (self._gap or not begins_line) + text)
        self._gap = gap

    def joined(self) -> str:
        """Return all parts."""
        return "".join(self._parts)


class _Writer:
    """Writes one text. Each character and each mark is visited a constant number of times."""

    def __init__(self, written: Written) -> None:
        self._text = written.text
        self._quotes = list(without_overlaps(_quotes(written), adjacent=False))
        self._fences = list(_outside_edges(without_overlaps(_fences(written), adjacent=False), self._quotes))
        self._marks = nested_marks(written, self._quotes, self._fences)
        # Fences and marks are written in their order; these are the numbers of the next ones.
        self._next_fence = self._next_mark = 0

    def whole(self) -> str:
        """Return the text as Markdown."""
        blocks, at = _Blocks(), 0
        for quote in self._quotes:
            blocks.add(self._with_fences(at, quote.start))
            inner = self._with_fences(quote.start, quote.end).strip("\n")
            # A line directly below a quote would belong to it.
            blocks.add_block("\n".join(f"> {line}".rstrip() for line in inner.split("\n")), gap=2)
            at = quote.end
        blocks.add(self._with_fences(at, len(self._text)))
        return blocks.joined()

    def _with_fences(self, start: int, end: int) -> str:
        """Return a part of the text that lies in one quote or outside of all."""
        blocks, at = _Blocks(), start
        while self._next_fence < len(self._fences) and self._fences[self._next_fence].start < end:
            fence = self._fences[self._next_fence]
            self._next_fence += 1
            blocks.add(self._with_marks(at, fence.start))
            blocks.add_block(_fenced(self._text[fence.start : fence.end], fence.language), gap=1)
            at = fence.end
        blocks.add(self._with_marks(at, end))
        return blocks.joined()

    def _with_marks(self, start: int, end: int) -> str:
        """Return a part of the text without blocks."""
        parts: list[str] = []
        around: list[tuple[Mark, str]] = []
        at = start

        def write_until(place: int) -> None:
            nonlocal at
            while around and around[-1][0].end <= place:
                mark, sign = around.pop()
                parts.extend((self._text[at : mark.end], sign))
                at = mark.end
            parts.append(self._text[at:place])
            at = place

        while self._next_mark < len(self._marks) and self._marks[self._next_mark].start < end:
            mark = self._marks[self._next_mark]
            self._next_mark += 1
            write_until(mark.start)
            before, after = self._signs(mark)
            parts.append(before)
            around.append((mark, after))
        write_until(end)
        return "".join(parts)

    def _signs(self, mark: Mark) -> tuple[str, str]:
        """Return what is written before and after a mark."""
        entity = mark.entity
        match entity.kind:
            case "code":
                return _code_signs(self._text[mark.start : mark.end])
            case "italic":
                # An underscore between letters is no mark.
                around = self._text[max(0, mark.start - 1) : mark.start] + self._text[mark.end : mark.end + 1]
                sign = "*" if any(char.isalnum() or char == "_" for char in around) else "_"
                return sign, sign
            case "text_link":
                return _link_signs(self._text[mark.start : mark.end], entity.url)
            case "date_time":
                return "", _in_utc(entity.unix_time)
            case kind:
                return _SIGNS[kind]


def _quotes(written: Written) -> Iterator[Entity]:
    for entity in written.entities:
        if entity.kind in _QUOTES and written.covered(entity).strip():
            yield replace(entity, kind="blockquote")


def _fences(written: Written) -> Iterator[Entity]:
    """Yield the blocks of code; code of several lines can't be written within a line."""
    for entity in written.entities:
        text = written.covered(entity) if entity.kind in {"pre", "code"} else ""
        if text.strip() and (entity.kind == "pre" or "\n" in text):
            yield replace(entity, kind="pre")


def _outside_edges(fences: Iterator[Entity], quotes: Sequence[Entity]) -> Iterator[Entity]:
    """Yield the fences, each within one quote or outside of all."""
    edges = iter([edge for quote in quotes for edge in (quote.start, quote.end)])
    edge = next(edges, None)
    for fence in fences:
        at = fence.start
        while edge is not None and edge < fence.end:
            if at < edge:
                yield replace(fence, start=at, end=edge)
                at = edge
            edge = next(edges, None)
        yield replace(fence, start=at)


def _fenced(code: str, language: str) -> str:
    """Return a block of code, with a fence that the code does not contain."""
    fence = "`" * max(3, _longest_run(code) + 1)
    name = _LANGUAGE.match(language.strip())
    return "\n".join([fence + (name[0] if name else ""), code.removesuffix("\n"), fence])


def _code_signs(code: str) -> tuple[str, str]:
    sign = "`" * (_longest_run(code) + 1)
    # The space keeps a backtick at the edge of the code apart from the sign.
    return (f"{sign} ", f" {sign}") if "`" in (code[0], code[-1]) else (sign, sign)


def _longest_run(code: str) -> int:
    return max((len(run[0]) for run in _BACKTICKS.finditer(code)), default=0)


def _link_signs(text: str, url: str) -> tuple[str, str]:
    address = url.strip()
    if not address or address == text:
        return "", ""
    if any(char in address for char in " \t\r\n<>()"):
        address = f"<{''.join(_IN_BRACKETS.get(char, char) for char in address)}>"
    return "[", f"]({address})"


def _in_utc(seconds: int | None) -> str:
    """Return the time of a date: its text may be relative, and each reader sees it in their own time zone."""
    if seconds is None:
        return ""
    try:
        return f" ({datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC)"
    except (ValueError, OverflowError, OSError):
        return ""
