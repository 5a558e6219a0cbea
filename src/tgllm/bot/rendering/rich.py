"""Writes a document as the blocks of a rich message. Bot API: InputRichBlock, RichText."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

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
    Link,
    List,
    Math,
    Paragraph,
    Quote,
    Row,
    Rule,
    Styled,
    Table,
    Text,
)
from tgllm.bot.rendering.entities import plain_inlines
from tgllm.bot.rendering.links import BARE_URL, email_of, is_web_link
from tgllm.bot.rendering.tables import aligned_table, plain_table

__all__ = ["MOST_COLUMNS", "RichBlock", "rich_blocks", "rich_text"]

MOST_COLUMNS = 20
"""Most columns of a table; a wider table is shown as preformatted text."""

MOST_LEVELS = 2
"""Most levels of nested formats: aiogram's time to parse a message grows fifteenfold with each level."""

RichBlock: TypeAlias = dict[str, Any]
RichText: TypeAlias = str | dict[str, Any] | list[Any]


def rich_blocks(blocks: Iterable[Block]) -> list[RichBlock]:
    """Return the document as Bot API blocks; the parser bounds its depth, but not its size."""
    return [made for block in blocks for made in _block(block)]


def rich_text(inlines: Sequence[Inline], levels: int = MOST_LEVELS, *, in_link: bool = False) -> RichText:
    """Return a formatted line; formats nested deeper than ``levels`` are dropped."""
    parts = [part for inline in inlines for part in _inline(inline, levels, in_link=in_link) if part not in ("", [])]
    return "" if not parts else parts[0] if len(parts) == 1 else parts


def _block(block: Block) -> list[RichBlock]:  # noqa: C901, PLR0911  one case for each kind of block
    match block:
        case Paragraph(inlines):
            return [{"type": "paragraph", "text": rich_text(inlines)}]
        case Heading(level, inlines):
            return [{"type": "heading", "text": rich_text(inlines), "size": level}] if inlines else []
        case CodeBlock(code, language):
            return [{"type": "pre", "text": code} | ({"language": language} if language else {})] if code else []
        case Formula(tex):
            return [{"type": "mathematical_expression", "expression": tex.strip()}]
        case Quote(blocks):
            return [{"type": "blockquote", "blocks": rich_blocks(blocks)}] if blocks else []
        case List():
            return [_list(block)]
        case Table():
            return [_table(block)]
        case Details(summary, blocks, is_open):
            details: RichBlock = {"type": "details", "summary": summary, "blocks": rich_blocks(blocks)}
            return [details | ({"is_open": True} if is_open else {})]
        case Footnote(label, blocks):
            return _footnote(label, blocks)
        case Rule():
            return [{"type": "divider"}]


def _inline(inline: Inline, levels: int, *, in_link: bool) -> list[RichText]:
    if levels == 0:
        return [_unformatted(inline)]
    match inline:
        case Text(text):
            return [text] if in_link else list(_with_links(text))
        case Code(text):
            return [{"type": "code", "text": text.replace("\n", " ")}]
        case Math(tex):
            return [{"type": "mathematical_expression", "expression": tex.strip()}]
        case Styled(style, inlines):
            return [{"type": style, "text": rich_text(inlines, levels - 1, in_link=in_link)}] if inlines else []
        case Link(url, inlines):
            return _link(url, inlines, levels, in_link=in_link)


def _unformatted(inline: Inline) -> str:
    match inline:
        case Text(text) | Code(text) | Math(text):
            return text
        case Styled(_, inlines):
            return "".join(map(_unformatted, inlines))
        case Link():
            return plain_inlines((inline,))


def _link(url: str, inlines: Sequence[Inline], levels: int, *, in_link: bool) -> list[RichText]:
    """Return a link if the address may be one; otherwise the label and the address as code."""
    if in_link or not url:
        return [rich_text(inlines, levels, in_link=in_link)]
    label = rich_text(inlines, levels - 1, in_link=True) or url
    if is_web_link(url):
        return [{"type": "url", "text": label, "url": url}]
    if email := email_of(url):
        return [{"type": "email_address", "text": label, "email_address": email}]
    address = {"type": "code", "text": url}
    return [address] if label == url else [label, " (", address, ")"]


def _with_links(text: str) -> Iterator[RichText]:
    """Yield the text with its bare URLs as links, since Telegram's own detection is off."""
    done = 0
    for found in BARE_URL.finditer(text):
        if is_web_link(found.group()):
            yield text[done : found.start()]
            yield {"type": "url", "text": found.group(), "url": found.group()}
            done = found.end()
    yield text[done:]


def _list(block: List) -> RichBlock:
    return {"type": "list", "items": [_item(item) for item in block.items]}


def _item(item: Item) -> dict[str, Any]:
    made: dict[str, Any] = {"blocks": rich_blocks(item.blocks) or [{"type": "paragraph", "text": ""}]}
    if item.number is not None:
        made |= {"value": item.number, "type": "1"}
    if item.checked is not None:
        made["has_checkbox"] = True
        if item.checked:
            made["is_checked"] = True
    return made


def _table(table: Table) -> RichBlock:
    rows = (table.header, *table.rows)
    if len(table.header) > MOST_COLUMNS:
        cells = [[plain_inlines(cell) for cell in row] for row in rows]
        return {"type": "pre", "text": aligned_table(cells, table.aligns, None) or plain_table(cells)}
    made = [_row(row, table, is_header=index == 0) for index, row in enumerate(rows)]
    return {"type": "table", "cells": made, "is_bordered": True}


def _row(row: Row, table: Table, *, is_header: bool) -> list[dict[str, Any]]:
    kind = {"is_header": True} if is_header else {}
    return [
        {"align": align, "valign": "top", "text": rich_text(cell)} | kind
        for cell, align in zip(row, table.aligns, strict=True)
    ]


def _footnote(label: str, blocks: Sequence[Block]) -> list[RichBlock]:
    if blocks and isinstance(blocks[0], Paragraph):
        first = Paragraph((Text(f"[{label}] "), *blocks[0].inlines))
        return rich_blocks((first, *blocks[1:]))
    return [{"type": "paragraph", "text": f"[{label}]"}, *rich_blocks(blocks)]
