"""Formats that the Markdown parser does not know: HTML tags within a paragraph, and ``||spoilers||``.

A tag that is not closed in its paragraph is text, as in ``List<i>``, and so is a tag of another name. Tags that overlap
format what stands between them, as in a browser.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any, TypeAlias

from tgllm.bot.rendering.document import Code, Formula, Inline, Link, Math, Styled, Text
from tgllm.bot.rendering.emphasis.hidden import shown
from tgllm.bot.rendering.flow import as_inlines
from tgllm.bot.rendering.html.tags import CODE, PARTS, PLAIN, STYLES, HtmlTag, attributes_of

__all__ = ["SPOILER", "has_formats", "void", "with_formats"]

SPOILER = "||"
MOST_LEVELS = 12
"""Most tags that are open at a time; further ones are text."""

Source: TypeAlias = Callable[[int, int], str]
"""Returns the source between two bytes."""

_INLINES = (Text, Code, Math, Styled, Link, Formula)
_LISTS = frozenset({"ul", "ol", "dl"})
_ITEMS = frozenset({"li", "dt", "dd"})
_KNOWN = STYLES.keys() | CODE | PLAIN | PARTS | _LISTS | _ITEMS
_RULE = "———"
_BREAK = Text("\n")
_BOXES = ("☐", "☑")
_SPOILER = re.compile(r"\|\|(?!\|)")
_QUOTES = ("“", "”")


@dataclass(slots=True)
class _Level:
    """A format whose end has not been read yet."""

    tag: HtmlTag | None
    children: list[Any] = field(default_factory=list[Any])
    is_resumed: bool = False
    """Whether the tag stood before the end of another one, which it overlaps."""


def has_formats(children: Sequence[object]) -> bool:
    """Return whether there is anything to do."""
    return any(isinstance(child, HtmlTag) or (isinstance(child, Text) and SPOILER in child.text) for child in children)


def with_formats(children: Sequence[object], source: Source, *, is_growing: bool) -> list[Any]:
    """Return the children of a node with the formats applied.

    Args:
        children: inlines, tags and blocks.
        source: for code, in which Markdown is no markup.
        is_growing: whether the answer is unfinished: formats then go on to the end of the paragraph.
    """
    writer = _Formats(children, source, is_growing=is_growing)
    for index, child in enumerate(children):
        if isinstance(child, HtmlTag):
            writer.tag(child)
        elif child == _BREAK and (_is_break(children, index - 1) or _is_break(children, index + 1)):
            # A line break of the source beside one of HTML.
            continue
        elif isinstance(child, Text) and SPOILER in child.text:
            writer.text(child.text, children, index)
        elif isinstance(child, _INLINES):
            writer.add(child)
        else:
            writer.end()
            writer.add(child)
    writer.end()
    return writer.done


class _Formats:
    def __init__(self, children: Sequence[object], source: Source, *, is_growing: bool) -> None:
        self._levels = [_Level(None)]
        self._source = source
        self._is_growing = is_growing
        self._closings = Counter([child.name for child in children if isinstance(child, HtmlTag) and child.is_closing])
        """Closing tags that are still to come."""

    @property
    def done(self) -> list[Any]:
        return self._levels[0].children

    def add(self, child: object) -> None:
        self._levels[-1].children.append(child)

    def end(self) -> None:
        """End the paragraph."""
        while len(self._levels) > 1:
            self._give_up(is_format=self._is_growing)

    def tag(self, tag: HtmlTag) -> None:
        if tag.is_closing:
            self._closings[tag.name] -= 1
            if not self._close(tag):
                self.add(Text(tag.text))
        elif (shown := void(tag)) is not None:
            self.add(shown)
        elif tag.name in _KNOWN and (self._closings[tag.name] > 0 or self._is_growing):
            self._open(tag)
        else:
            self.add(Text(tag.text))

    def text(self, text: str, children: Sequence[object], index: int) -> None:
        """Add a text in which spoilers may begin and end."""
        place = 0
        for found in _SPOILER.finditer(text):
            before = text[found.start() - 1] if found.start() else _edge(children, index - 1, -1)
            after = text[found.end()] if found.end() < len(text) else _edge(children, index + 1, 0)
            mark = HtmlTag(SPOILER, 0, 0, SPOILER)
            can_close = not before.isspace() and not after.isalnum() and before not in {"", "|"}
            is_open = any(level.tag is not None and level.tag.name == SPOILER for level in self._levels)
            if is_open and can_close:
                self._piece(text[place : found.start()])
                self._close(mark)
            elif not is_open and after and not after.isspace() and after != "|" and not _joins(before):
                self._piece(text[place : found.start()])
                self._open(mark)
            else:
                continue
            place = found.end()
        self._piece(text[place:])

    def _piece(self, text: str) -> None:
        if text:
            self.add(Text(text))

    def _open(self, tag: HtmlTag) -> None:
        if len(self._levels) > MOST_LEVELS:
            self.add(Text(tag.text))
        else:
            self._levels.append(_Level(tag))

    def _close(self, closing: HtmlTag) -> bool:
        """Close a format, and interrupt those that began within it; return False if it is not open."""
        names = [level.tag.name for level in self._levels[1:] if level.tag is not None]
        if closing.name not in names:
            return False
        resumed: list[HtmlTag] = []
        while (level := self._levels[-1]).tag is not None and level.tag.name != closing.name:
            goes_on = self._closings[level.tag.name] > 0
            if goes_on:
                resumed.append(level.tag)
            self._give_up(is_format=goes_on)
        level = self._levels.pop()
        self._levels[-1].children.extend(self._made(level, closing))
        self._levels.extend([_Level(tag, is_resumed=True) for tag in reversed(resumed)])
        return True

    def _give_up(self, *, is_format: bool) -> None:
        """End the innermost format, which is not closed here."""
        level = self._levels.pop()
        if level.tag is None:
            return
        if is_format or level.is_resumed:
            self._levels[-1].children.extend(self._made(level, None))
        else:
            self._levels[-1].children.extend([Text(level.tag.text), *level.children])

    def _made(self, level: _Level, closing: HtmlTag | None) -> list[Any]:  # noqa: PLR0911  one case for each kind of tag
        tag, children = level.tag, level.children
        name = "" if tag is None else tag.name
        if tag is None or (not children and name not in CODE):
            return []
        if name == SPOILER:
            return [Styled("spoiler", self._inlines(children, closing))]
        if (style := STYLES.get(name)) is not None:
            return [Styled(style, self._inlines(children, closing))]
        if name in CODE:
            code = self._code(tag, children, closing)
            return [Code(code)] if code else []
        if name == "a" and (url := attributes_of(tag.text).get("href", "").strip()):
            return [Link(url, self._inlines(children, closing))]
        if name == "q":
            return [Text(_QUOTES[0]), *children, Text(_QUOTES[1])]
        if name in _ITEMS:
            return [Text("\n• "), *children]
        if name in PARTS:
            return [Text("\n"), *children, Text("\n")]
        return children

    def _inlines(self, children: Sequence[object], closing: HtmlTag | None) -> tuple[Inline, ...]:
        return as_inlines(children, is_growing=self._is_growing and closing is None)

    def _code(self, tag: HtmlTag, children: Sequence[object], closing: HtmlTag | None) -> str:
        if closing is None:
            return "".join([_plain(child) for child in children])
        # Bars are escaped in tables.
        code = self._source(tag.end, closing.start).replace("\\|", "|")
        return " ".join(unescape(code).split("\n")).strip()


def _is_break(children: Sequence[object], index: int) -> bool:
    child = children[index] if 0 <= index < len(children) else None
    return isinstance(child, HtmlTag) and child.name == "br"


def void(tag: HtmlTag) -> Text | Link | None:
    """Return what a tag without content shows; None for other tags."""
    match tag.name:
        case "br":
            return Text("\n")
        case "wbr":
            return Text("")
        case "hr":
            return Text(f"\n{_RULE}\n")
        case "input" if (attributes := attributes_of(tag.text)).get("type", "").lower() == "checkbox":
            return Text(_BOXES["checked" in attributes])
        case "img":
            attributes = attributes_of(tag.text)
            url, label = attributes.get("src", "").strip(), attributes.get("alt", "").strip()
            return Link(url, (Text(label),) if label else ()) if url else None
        case _:
            return None


def _plain(child: object) -> str:
    if isinstance(child, Text | Code):
        return shown(child.text)
    if isinstance(child, Math | Formula):
        return f"${child.tex}$"
    if isinstance(child, Styled | Link):
        return "".join(map(_plain, child.inlines))
    return ""


def _edge(children: Sequence[object], index: int, end: int) -> str:
    """Return the character of a neighbour next to a text; empty at the edge of the paragraph."""
    if not 0 <= index < len(children):
        return ""
    child = children[index]
    if isinstance(child, Text):
        return child.text[end] if child.text else ""
    return "." if isinstance(child, (*_INLINES, HtmlTag)) else ""


def _joins(before: str) -> bool:
    return before.isalnum() or before in {"|", ")", "]", "&"}
