"""Nodes of the tags of HTML blocks."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import unescape
from typing import Any, cast

from tgllm.bot.rendering.document import (
    Block,
    Code,
    CodeBlock,
    Details,
    Footnote,
    Formula,
    Heading,
    Inline,
    Item,
    List,
    Math,
    Paragraph,
    Quote,
    Row,
    Rule,
    Table,
    Text,
)
from tgllm.bot.rendering.flow import as_blocks

__all__ = [
    "KINDS",
    "MOST_MISSING",
    "OPTIONAL_END",
    "WITHIN",
    "html_heading",
    "html_list",
    "html_row",
    "html_table",
    "inlines_of",
    "preformatted",
]

KINDS: Mapping[str, str] = {
    "blockquote": "HtmlQuote", "ul": "HtmlList", "ol": "HtmlList", "li": "HtmlItem", "table": "HtmlTable",
    "tr": "HtmlRow", "td": "HtmlCell", "th": "HtmlCell", **{f"h{level}": "HtmlHeading" for level in range(1, 7)},
}  # fmt: skip
"""Kinds of the nodes that tags begin; other tags only begin a new line."""
WITHIN: Mapping[str, str] = {"li": "HtmlList", "tr": "HtmlTable", "td": "HtmlRow", "th": "HtmlRow"}
"""Kinds in which a tag must stand."""
OPTIONAL_END = frozenset({"li", "tr", "td", "th", "thead", "tbody", "tfoot", "caption", "hr", "dt", "dd"})
"""Tags that need not be closed."""
MOST_MISSING = 64
"""Missing cells of a table; one with more is shown as lines."""

_CODE = re.compile(
    r"\s*+<code(?P<attributes>(?:\s[^<>]*+)?)>(?P<code>(?:[^<]|<(?!/code\b))*+)(?:</code\s*+>\s*+)?+", re.IGNORECASE
)
_LANGUAGE = re.compile(r"lang(?:uage)?-([\w+#.-]++)", re.IGNORECASE)


def html_list(children: Sequence[object], start: int | None) -> list[Any]:
    """Return a list; what stands outside of its items becomes an item of its own."""
    items: list[Item] = []
    between: list[object] = []
    for child in children:
        if isinstance(child, Item):
            items.extend(_item_of(between))
            items.append(child)
        else:
            between.append(child)
    items.extend(_item_of(between))
    if start is not None:
        items = [Item(item.blocks, item.checked, number) for number, item in enumerate(items, start)]
    return [List(tuple(items), is_tight=True)] if items else []


def _item_of(between: list[object]) -> Iterable[Item]:
    blocks = as_blocks(between)
    between.clear()
    return [Item(blocks)] if blocks else []


def html_heading(children: Sequence[object], level: int) -> list[Any]:
    """Return a heading."""
    inlines = inlines_of(as_blocks(children))
    return [Heading(level, inlines)] if inlines else []


def html_table(children: Sequence[object]) -> list[Any]:
    """Return a table of rows, which are tuples of cells; other children stand before it."""
    rows = [cast("Row", child) for child in children if isinstance(child, tuple)]
    before = [*as_blocks([child for child in children if not isinstance(child, tuple)])]
    rows = [row for row in rows if row]
    columns = max(map(len, rows), default=0)
    if columns * len(rows) - sum(map(len, rows)) > MOST_MISSING + sum(map(len, rows)):
        lines = [Paragraph(tuple(_with_bars(row))) for row in rows]
        return [*before, *lines]
    if not columns:
        return before
    header, *others = [(*row, *(((),) * (columns - len(row)))) for row in rows]
    return [*before, Table(("left",) * columns, header, tuple(others))]


def html_row(children: Sequence[object]) -> Row:
    """Return the cells of a row; what stands outside of them is a cell of its own."""
    cells: list[tuple[Inline, ...]] = []
    between: list[object] = []
    for child in (*children, ()):
        if not isinstance(child, tuple):
            between.append(child)
            continue
        if cell := inlines_of(as_blocks(between)):
            cells.append(cell)
        between.clear()
        cells.append(cast("tuple[Inline, ...]", child))
    return tuple(cells[:-1])


def _with_bars(row: Row) -> Iterable[Inline]:
    for index, cell in enumerate(row):
        if index:
            yield Text(" | ")
        yield from cell


def preformatted(html: str) -> list[Any]:
    """Return the code block of a ``pre`` element."""
    found = _CODE.fullmatch(html)
    language = _LANGUAGE.search(found["attributes"]) if found is not None else None
    code = unescape(html if found is None else found["code"]).removeprefix("\n").removesuffix("\n").expandtabs(4)
    return [CodeBlock(code, "" if language is None else language[1])] if code.strip() else []


def inlines_of(blocks: Iterable[Block]) -> tuple[Inline, ...]:
    """Return blocks as one line: a cell or a heading holds no blocks."""
    inlines: list[Inline] = []
    for block in blocks:
        if inlines:
            inlines.append(Text("\n"))
        inlines.extend(_flat(block))
    return tuple(inlines)


def _flat(block: Block) -> Iterable[Inline]:
    match block:
        case Paragraph(inlines) | Heading(_, inlines):
            return inlines
        case CodeBlock(code, _):
            return [Code(code)]
        case Formula(tex):
            return [Math(tex)]
        case Quote(blocks) | Footnote(_, blocks):
            return inlines_of(blocks)
        case Details(summary, blocks, _):
            return [Text(f"{summary} "), *inlines_of(blocks)]
        case List(items, _):
            return [inline for index, item in enumerate(items) for inline in _flat_item(item, index)]
        case Table(_, header, rows):
            return [inline for row in (header, *rows) for inline in (*_with_bars(row), Text("\n"))]
        case Rule():
            return []


def _flat_item(item: Item, index: int) -> Iterable[Inline]:
    mark = "• " if item.number is None else f"{item.number}. "
    return [Text(("\n" if index else "") + mark), *inlines_of(item.blocks)]
