"""Rich messages: conversion of requests to blocks, their plain text and their limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from tgllm.testing.emulator.markup.rich_html import parse_rich_html
from tgllm.testing.emulator.markup.rich_shape import check_shape
from tgllm.testing.emulator.markup.text import utf16_len
from tgllm.testing.emulator.protocol.errors import bad_request

__all__ = ["RichContent", "read_rich_message"]

# Bot API: InputRichMessage; TDLib: options rich_message_*_max.
MAX_UNITS = 32_768
MAX_BLOCKS = 500
MAX_DEPTH = 16
MAX_MEDIA = 50
MAX_COLUMNS = 20

_MEDIA = frozenset({"photo", "video", "audio", "document", "animation", "voice_note"})
# Fields that only these kinds of blocks have.
_HOLDERS: Mapping[str, frozenset[str]] = {
    "blocks": frozenset({"blockquote", "details", "collage", "slideshow"}),
    "items": frozenset({"list"}),
    "cells": frozenset({"table"}),
    "expression": frozenset({"mathematical_expression"}),
}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RichContent:
    """A stored rich message: ``body`` in Bot API form (RichMessage), and its plain text."""

    body: Json
    plain: str


@dataclass(slots=True)
class _Totals:
    blocks: int = 0
    depth: int = 0
    media: int = 0
    columns: int = 0


def read_rich_message(raw: object, *, in_draft: bool = False) -> RichContent:
    """Check an InputRichMessage and read its ``html``, ``markdown`` or ``blocks``.

    Raises BotApiError 400 above the limits, for an empty message, for none or several of the three forms, and
    for a thinking block outside of drafts. Telegram's error descriptions for these cases are unpublished; these
    are the emulator's own.
    """
    if not isinstance(raw, dict):
        raise bad_request("can't parse rich message: expected an Object")
    try:
        return _read(cast("Json", raw), in_draft=in_draft)
    except RecursionError:
        raise bad_request("rich message blocks are nested too deep") from None


def _read(source: Json, *, in_draft: bool) -> RichContent:
    check_shape(source)
    blocks = _read_blocks(source)
    plain = "\n".join(filter(None, map(_plain, blocks)))
    _check(blocks, plain, in_draft=in_draft)
    body: Json = {"blocks": blocks}
    if source.get("is_rtl"):
        body["is_rtl"] = True
    return RichContent(body, plain)


def _read_blocks(source: Json) -> list[Json]:
    given = [name for name in ("html", "markdown", "blocks") if source.get(name) is not None]
    if len(given) != 1:
        raise bad_request("rich message must have exactly one of html, markdown and blocks")
    if given == ["html"]:
        return parse_rich_html(str(source["html"]))
    if given == ["markdown"]:
        return parse_rich_html(_markdown_to_html(str(source["markdown"])))
    return [_labelled(block) for block in _objects(source["blocks"])]


def _markdown_to_html(markdown: str) -> str:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - needed only for the Markdown form

    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown)


def _objects(value: object) -> list[Json]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in items):
        raise bad_request("can't parse rich message: blocks must be an Array of Objects")
    return cast("list[Json]", items)


def _labelled(block: Json) -> Json:
    """Convert a block of a request to a stored block: add the labels of list items, drop fields of other kinds."""
    if "type" not in block:
        raise bad_request("can't parse rich message: block has no type")
    made = {name: value for name, value in block.items() if name not in _HOLDERS or block["type"] in _HOLDERS[name]}
    if "blocks" in made:
        made["blocks"] = [_labelled(inner) for inner in _objects(made["blocks"])]
    if block["type"] == "list":
        made["items"] = [_item(item) for item in _objects(block.get("items"))]
    return made


def _item(item: Json) -> Json:
    label = f"{item['value']}." if item.get("value") is not None else "•"
    return {"label": label, **item, "blocks": [_labelled(b) for b in _objects(item.get("blocks"))]}


def _plain(value: object) -> str:
    """Return the text of a block or of a RichText; each block is on its own line."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(_plain, cast("list[object]", value)))
    if not isinstance(value, dict):
        return ""
    node = cast("Json", value)
    if "cells" in node:
        rows = cast("list[list[Json]]", node["cells"])
        return "\n".join(" | ".join(_plain(cell.get("text")) for cell in row) for row in rows)
    if "items" in node:
        return "\n".join(f"{i['label']} {_plain_all(i['blocks'])}" for i in cast("list[Json]", node["items"]))
    if "blocks" in node:
        return "\n".join(filter(None, [_plain(node.get("summary")), _plain_all(node["blocks"])]))
    return str(node["expression"]) if "expression" in node else _plain(node.get("text"))


def _plain_all(blocks: object) -> str:
    return "\n".join(map(_plain, cast("list[object]", blocks)))


def _check(blocks: list[Json], plain: str, *, in_draft: bool) -> None:
    totals = _Totals()
    _count(blocks, 1, totals)
    thinks = any(block["type"] == "thinking" for block in blocks)
    if thinks and not in_draft:
        raise bad_request("rich message thinking block is allowed only in drafts")
    if not plain.strip() and not totals.media and not in_draft:
        raise bad_request("rich message is empty")
    over = (
        (utf16_len(plain) > MAX_UNITS, "rich message is too long"),
        (totals.blocks > MAX_BLOCKS, "rich message has too many blocks"),
        (totals.depth > MAX_DEPTH, "rich message blocks are nested too deep"),
        (totals.media > MAX_MEDIA, "rich message has too many media"),
        (totals.columns > MAX_COLUMNS, "rich message table has too many columns"),
    )
    for is_over, words in over:
        if is_over:
            raise bad_request(words)


def _count(blocks: list[Json], depth: int, totals: _Totals) -> None:
    """Add up the totals; nested blocks, list items and table rows count as blocks."""
    totals.depth = max(totals.depth, depth if blocks else 0)
    for block in blocks:
        rows: list[Any] = block.get("cells") or []
        items: list[Json] = block.get("items") or []
        totals.blocks += 1 + len(rows) + len(items)
        totals.media += block["type"] in _MEDIA
        totals.columns = max([totals.columns, *map(len, rows)])
        _count(block.get("blocks") or [], depth + 1, totals)
        for item in items:
            _count(item["blocks"], depth + 1, totals)
