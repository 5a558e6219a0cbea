# ruff: noqa: RUF001 - bullets that look like others
"""Indents lists as CommonMark asks for, so that loosely indented ones keep their nesting.

CommonMark nests an item only if it is indented as far as the text of the item above, which models often miss: two
spaces under a number, or one. Bullets that are characters, such as ``•``, become markers.
"""

import re
from dataclasses import dataclass, field

__all__ = ["with_even_lists"]

MOST_LEVELS = 12
"""Most levels that are indented anew; deeper items keep their indentation."""
_MOST_SPACES = 4
"""Most spaces between a marker and its text; more are code."""
_NESTED = 2
"""Least columns by which an item below one of the same kind is nested: one is most often not meant."""
_CODE = 4
"""Spaces that begin indented code."""

_BULLETS = "•◦▪▫‣⁃●○■□"
_HAS_LIST = re.compile(rf"^[ \t>]*+(?:[-*+{_BULLETS}]|\d{{1,9}}[.)])[ \t]", re.MULTILINE)
_QUOTES = re.compile(r"(?: {0,3}> ?)*+")
_SPACES = re.compile(r"[ \t]*+")
_MARKER = re.compile(rf"(?:(?P<bullet>[-*+{_BULLETS}])|(?P<number>\d{{1,9}})(?P<end>[.)]))(?P<space>[ \t]++|(?![^\n]))")
_RULE = re.compile(r"(?:(?:-[ \t]*+){3,}+|(?:\*[ \t]*+){3,}+|(?:_[ \t]*+){3,}+)(?![^\n])")
_FENCE = re.compile(r"(`{3,}+(?![^`\n]*+`)|~{3,}+)")
_FENCE_END = re.compile(r"[ \t]*+([`~]{3,}+)[ \t]*+(?![^\n])")
_ENDS_LIST = re.compile(r"#{1,6}[ \t]|>|\||<")
"""Beginning of a line that is not part of a paragraph."""


@dataclass(frozen=True, slots=True)
class _Item:
    indent: int
    """Columns before the marker, in the source."""
    content: int
    """Columns before the text, in the source."""
    out: int
    """Columns before the marker, in the result."""
    inside: int
    """Columns before the text, in the result."""
    mark: str
    number: int | None
    """None for a bullet."""


@dataclass(slots=True)
class _Lists:
    """Reads the lines of a source one by one."""

    items: list[_Item] = field(default_factory=list[_Item])
    """Items that are open, outermost first."""
    quotes: str = ""
    """Quote markers of the line before."""
    was_blank: bool = True
    fence: str = ""
    fence_indent: int = 0
    fence_out: int = 0

    def line(self, line: str) -> str:
        """Return the line with its indentation in the result."""
        prefix = _QUOTES.match(line)
        quotes = "" if prefix is None else prefix[0]
        if self.items and ">" not in self.quotes and len(quotes) - len(quotes.lstrip(" ")) >= _NESTED:
            # A quote within an item.
            quotes = ""
        if self.fence and quotes.count(">") != self.quotes.count(">"):
            # More markers than before the fence are code.
            quotes = _within(quotes, self.quotes.count(">"))
        body = line[len(quotes) :]
        if quotes.count(">") != self.quotes.count(">"):
            self.items.clear()
            self.fence, self.was_blank = "", True
        self.quotes = quotes
        return quotes + self._body(body)

    def _body(self, body: str) -> str:
        spaces = _SPACES.match(body)
        end = 0 if spaces is None else spaces.end()
        if end == len(body):
            self.was_blank = True
            return body
        indent, text = len(body[:end].expandtabs(4)), body[end:]
        was_blank, self.was_blank = self.was_blank, False
        if self.fence:
            self.was_blank = was_blank
            return self._in_fence(body, indent, text)
        marker = None if _RULE.match(text) else _MARKER.match(text)
        if marker is not None and (out := self._item(indent, text, marker, was_blank=was_blank)) is not None:
            return out
        return self._other(body, indent, text, was_blank=was_blank)

    def _item(self, indent: int, text: str, marker: re.Match[str], *, was_blank: bool) -> str | None:
        """Return a line that begins an item; None if it is no such line."""
        number = None if marker["number"] is None else int(marker["number"])
        parent = self._parent(indent, number, was_blank=was_blank)
        depth = 0 if parent is None else parent + 1
        if parent is None:
            if indent >= _CODE and not self.items and not was_blank:
                return None
        elif was_blank and indent >= self.items[parent].content + _CODE and len(self.items) == depth:
            return None
        if depth >= MOST_LEVELS or (marker["space"] == "" and len(self.items) <= depth):
            return None
        out = 0 if parent is None else self.items[parent].inside
        before = self.items[depth] if len(self.items) > depth and not was_blank else None
        del self.items[depth:]
        return " " * out + self._markers(indent, out, text, before)

    def _parent(self, indent: int, number: int | None, *, was_blank: bool) -> int | None:
        """Return the index of the open item in which an item belongs; None if it belongs in none."""
        for index in range(len(self.items) - 1, -1, -1):
            item = self.items[index]
            more = indent - item.indent
            if more < 0:
                continue
            if (item.number is None) != (number is None):
                if any(one.indent == indent and (one.number is None) == (number is None) for one in self.items[:index]):
                    continue
                if more or not was_blank:
                    return index
            elif _is_nested(more, number, item):
                return index
            return index - 1 if index else None
        return None

    def _markers(self, indent: int, out: int, text: str, before: _Item | None) -> str:
        """Read the markers at the start of a line, and return the line.

        Args:
            indent: columns before them, in the source.
            out: columns before them, in the result.
            text: the line from the first of them on.
            before: the item right before it, of the same list.
        """
        pieces: list[str] = []
        place, found = 0, _MARKER.match(text)
        while found is not None and len(self.items) < MOST_LEVELS and not _RULE.match(text, place):
            mark = text[place : found.start("space")]
            if mark in _BULLETS:
                mark = "-"
            if before is not None and before.number is None and found["number"] is None:
                # Another marker would begin another list.
                mark = before.mark
            before = None
            width = len(found["space"].expandtabs(4))
            # What is indented further is code, which keeps its spaces.
            space = " " * (1 if width <= _MOST_SPACES else width)
            step = len(mark) + min(width, 1 if width > _MOST_SPACES else width)
            number = None if found["number"] is None else int(found["number"])
            self.items.append(_Item(indent, indent + max(step, len(mark) + 1), out, out + len(mark) + 1, mark, number))
            indent, out = indent + step, out + len(mark) + 1
            pieces.append(mark + space)
            place = found.end()
            if width > _MOST_SPACES:
                break
            found = _MARKER.match(text, place)
        else:
            if (fence := _FENCE.match(text, place)) is not None:
                self.fence, self.fence_indent, self.fence_out = fence[1], indent, out
        return "".join(pieces) + text[place:]

    def _other(self, body: str, indent: int, text: str, *, was_blank: bool) -> str:
        """Return a line that begins no item: it belongs to an item, or ends the list."""
        fence = _FENCE.match(text)
        if was_blank or fence is not None:
            while self.items and indent < self.items[-1].indent + _NESTED:
                self.items.pop()
        elif indent == 0 and _ENDS_LIST.match(text):
            self.items.clear()
        if not self.items:
            if fence is not None:
                self.fence, self.fence_indent, self.fence_out = fence[1], indent, indent
            return body
        if indent == 0:
            return body
        item = self.items[-1]
        out = item.inside + max(0, indent - max(item.content, item.indent + _NESTED))
        if fence is not None:
            out = item.inside
            self.fence, self.fence_indent, self.fence_out = fence[1], indent, out
        return " " * out + text

    def _in_fence(self, body: str, indent: int, text: str) -> str:
        closing = _FENCE_END.fullmatch(body)
        if closing is not None and closing[1].startswith(self.fence):
            self.fence = ""
            return " " * self.fence_out + text if self.items else body
        if not self.items:
            return body
        return " " * (self.fence_out + max(0, indent - self.fence_indent)) + text


def with_even_lists(markdown: str) -> str:
    """Return the Markdown with its lists indented by the width of their markers."""
    if not _HAS_LIST.search(markdown):
        return markdown
    lists = _Lists()
    return "\n".join([lists.line(line) for line in markdown.split("\n")])


def _is_nested(more: int, number: int | None, above: _Item) -> bool:
    """Return whether an item is nested in one of the same kind above it that is indented by so many columns less."""
    if number is None or above.number is None:
        return more >= _NESTED
    if number == above.number + 1 and above.indent + more < above.content:
        return False
    return more >= _NESTED or (more > 0 and number == 1)


def _within(quotes: str, most: int) -> str:
    """Return the first markers of a quote."""
    parts = quotes.split(">")
    return ">".join(parts[:most]) + ">" if 0 < most < len(parts) else quotes if most else ""
