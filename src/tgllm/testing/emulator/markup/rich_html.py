"""Parser of the ``html`` form of rich messages. Source: Bot API, "Rich message formatting"."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from tgllm.testing.emulator.markup.html_tags import INLINE_TAGS

__all__ = ["parse_rich_html"]

Json = dict[str, Any]

_INLINE = {**INLINE_TAGS, "mark": "marked", "sub": "subscript", "sup": "superscript"}
_NUMBER = re.compile("[0-9]{1,9}")
_VOID = frozenset({"br", "hr", "img", "input", "tg-map"})
_PARAGRAPHS = {"p": "paragraph", "footer": "footer", "tg-thinking": "thinking"}
_HEADINGS = {f"h{size}": size for size in range(1, 7)}


@dataclass(slots=True)
class Node:
    """An element; ``children`` are elements and texts."""

    tag: str
    attrs: dict[str, str] = field(default_factory=dict[str, str])
    children: list["Node | str"] = field(default_factory=list["Node | str"])

    def plain(self) -> str:
        """Return the text of the element, unchanged."""
        return "".join(c if isinstance(c, str) else c.plain() for c in self.children)

    def elements(self, *tags: str) -> list["Node"]:
        """Return the child elements with these tags."""
        return [c for c in self.children if isinstance(c, Node) and c.tag in tags]


class _TreeBuilder(HTMLParser):
    """Builder of the element tree; unmatched end tags are ignored."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in _VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if any(node.tag == tag for node in self._open[1:]):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse_rich_html(html: str) -> list[Json]:
    """Return the blocks (Bot API: RichBlock); unknown tags are replaced by their content."""
    builder = _TreeBuilder()
    builder.feed(html)
    builder.close()
    return _blocks(builder.root)


def _blocks(parent: Node) -> list[Json]:
    blocks: list[Json] = []
    run: list[Node | str] = []

    def end_run() -> None:
        text = _rich_text(run)
        run.clear()
        if text not in ("", []):
            blocks.append({"type": "paragraph", "text": text})

    for child in parent.children:
        made = _block(child) if isinstance(child, Node) else None
        if made is not None:
            end_run()
            blocks.extend(made)
        elif child != "\n":
            run.append(child)
    end_run()
    return blocks


def _block(node: Node) -> list[Json] | None:
    """Return the blocks of a block element, None for an inline one."""
    if node.tag in _PARAGRAPHS:
        return [{"type": _PARAGRAPHS[node.tag], "text": _rich_text(node.children)}]
    if node.tag in _HEADINGS:
        return [{"type": "heading", "text": _rich_text(node.children), "size": _HEADINGS[node.tag]}]
    maker = _MAKERS.get(node.tag)
    return None if maker is None else maker(node)


def _pre(node: Node) -> list[Json]:
    block: Json = {"type": "pre", "text": node.plain().removesuffix("\n")}
    for code in node.elements("code"):
        language = code.attrs.get("class", "").removeprefix("language-")
        if language:
            block["language"] = language
    return [block]


def _list(node: Node) -> list[Json]:
    items: list[Json] = []
    for number, item in enumerate(node.elements("li"), start=_number(node.attrs.get("start"), 1)):
        box = next((n for n in item.elements("input") if n.attrs.get("type") == "checkbox"), None)
        entry: Json = {
            "label": f"{number}." if node.tag == "ol" else "•",
            "blocks": _blocks(Node("li", {}, [c for c in item.children if c is not box])),
        }
        if box is not None:
            entry["has_checkbox"] = True
            entry["is_checked"] = "checked" in box.attrs
        items.append(entry)
    return [{"type": "list", "items": items}]


def _number(value: str | None, default: int) -> int:
    return int(value) if value is not None and _NUMBER.fullmatch(value) else default


def _table(node: Node) -> list[Json]:
    sections = [node, *node.elements("thead", "tbody", "tfoot")]
    rows = [row for section in sections for row in section.elements("tr")]
    table: Json = {"type": "table", "cells": [[_cell(c) for c in row.elements("td", "th")] for row in rows]}
    for name in ("bordered", "striped", "compact"):
        if name in node.attrs:
            table[f"is_{name}"] = True
    for caption in node.elements("caption"):
        table["caption"] = _rich_text(caption.children)
    return [table]


def _cell(node: Node) -> Json:
    cell: Json = {
        "align": node.attrs.get("align", "left"),
        "valign": node.attrs.get("valign", "top"),
        "text": _rich_text(node.children),
    }
    if node.tag == "th":
        cell["is_header"] = True
    for name in ("colspan", "rowspan"):
        if (span := _number(node.attrs.get(name), 1)) > 1:
            cell[name] = span
    return cell


def _details(node: Node) -> list[Json]:
    summary = next(iter(node.elements("summary")), Node("summary"))
    body = Node("details", {}, [c for c in node.children if c is not summary])
    block: Json = {"type": "details", "summary": _rich_text(summary.children), "blocks": _blocks(body)}
    if "open" in node.attrs:
        block["is_open"] = True
    return [block]


def _quote(node: Node) -> list[Json]:
    """Return a quotation with its author; collapsed quotations and pull quotes contain only text."""
    author = next(iter(node.elements("cite")), None)
    credit = {} if author is None else {"credit": _rich_text(author.children)}
    blocks = _blocks(Node(node.tag, {}, [child for child in node.children if child is not author]))
    if node.tag == "blockquote" and "collapsed" not in node.attrs:
        return [{"type": "blockquote", "blocks": blocks, **credit}]
    kind = "pullquote" if node.tag == "aside" else "expandable_blockquote"
    return [{"type": kind, "text": _lines(blocks), **credit}]


def _lines(blocks: list[Json]) -> Any:  # noqa: ANN401 - RichText
    """Return the texts of blocks, each on its own line."""
    lines: list[Any] = []
    for block in blocks:
        lines += [*(["\n"] if lines else []), block.get("text", "")]
    return lines[0] if len(lines) == 1 else lines


def _math(node: Node) -> list[Json]:
    return [{"type": "mathematical_expression", "expression": node.plain()}]


def _divider(node: Node) -> list[Json]:
    del node
    return [{"type": "divider"}]


_MAKERS: dict[str, Callable[[Node], list[Json]]] = {
    "pre": _pre,
    "ul": _list,
    "ol": _list,
    "table": _table,
    "details": _details,
    "blockquote": _quote,
    "aside": _quote,
    "tg-math-block": _math,
    "hr": _divider,
    "div": _blocks,
    "section": _blocks,
}


def _rich_text(children: list[Node | str]) -> Any:  # noqa: ANN401 - Bot API: RichText is a string, an array or an object
    """Return the children as RichText, without white space at both ends."""
    parts = [part for part in map(_inline, children) if part != ""]
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip()
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip()
    kept = [part for part in parts if part != ""]
    return "" if not kept else kept[0] if len(kept) == 1 else kept


def _inline(child: Node | str) -> Any:  # noqa: ANN401 - RichText
    if isinstance(child, str):
        return child
    if child.tag == "br":
        return "\n"
    if child.tag == "tg-math":
        return {"type": "mathematical_expression", "expression": child.plain()}
    inside = _rich_text_untrimmed(child.children)
    if child.tag == "a" and child.attrs.get("href"):
        return {"type": "url", "text": inside, "url": child.attrs["href"]}
    return {"type": _INLINE[child.tag], "text": inside} if child.tag in _INLINE else inside


def _rich_text_untrimmed(children: list[Node | str]) -> Any:  # noqa: ANN401 - RichText
    parts = [part for part in map(_inline, children) if part != ""]
    return "" if not parts else parts[0] if len(parts) == 1 else parts
