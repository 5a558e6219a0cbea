"""Parses Markdown into a document. No visible text is lost, whatever the source."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from tgllm.bot.rendering.alerts import with_heading
from tgllm.bot.rendering.document import (
    Align,
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
    Rule,
    Table,
    Text,
)
from tgllm.bot.rendering.emphasis.hidden import hidden, shown
from tgllm.bot.rendering.flow import BREAK, as_blocks, as_inlines, plain_text
from tgllm.bot.rendering.frame import Frame
from tgllm.bot.rendering.html.formats import SPOILER, has_formats, void, with_formats
from tgllm.bot.rendering.html.frames import OF_HTML, HtmlFrames
from tgllm.bot.rendering.html.nodes import html_heading, html_list, html_row, html_table, inlines_of
from tgllm.bot.rendering.html.pieces import escaped_html
from tgllm.bot.rendering.html.tags import HtmlTag
from tgllm.bot.rendering.source.commonmark import raw_events, with_shown_definitions
from tgllm.bot.rendering.source.dollars import with_plain_prices
from tgllm.bot.rendering.source.missing_cells import with_filled_tables
from tgllm.bot.rendering.source.nesting import with_bounded_nesting

__all__ = ["parse"]

MOST_BLOCK_LEVELS = 12
"""Most levels of nested blocks; Telegram accepts 16, and a block may be written as two levels."""
MOST_INLINE_LEVELS = 6
MOST_HTML_LEVELS = 3
"""Most levels of HTML blocks inside the Markdown of HTML blocks; deeper ones are text."""

Node = Inline | Block | Item | tuple[tuple[Inline, ...], ...] | tuple[Inline, ...]
_INLINE_KINDS = frozenset({"Link", "Image"})
_ALIGNS: Mapping[str, Align] = {"Center": "center", "Right": "right"}
_BREAK = re.compile(r"<br\s*+/?>", re.IGNORECASE)
_PLAIN_TAG = re.compile(r"\n*+(</?[A-Za-z][A-Za-z0-9-]*+>(?:[A-Za-z0-9,;:()]++| (?! |\n))*+)\n*+")
"""A tag and words without any markup, as in a list of tags: no parser is needed."""
_NUMBER = re.compile(rb"[ \t]*+(\d{1,9})([.)])")
_TAB_WIDTH = 4


def parse(markdown: str, *, is_growing: bool = False) -> tuple[Block, ...]:
    """Return the document's blocks.

    Args:
        markdown: without lone surrogates.
        is_growing: whether the answer is unfinished: emphasis and HTML that are open at its end are closed then.
    """
    source, has_math = with_plain_prices(with_filled_tables(with_bounded_nesting(markdown)))
    source = with_shown_definitions(source, has_math=has_math)
    return _Builder(source, has_math=has_math, is_growing=is_growing).build()


class _Builder(HtmlFrames):
    """Builds the tree with an explicit stack: deep nesting would exceed the recursion limit."""

    def __init__(
        self, source: str, *, has_math: bool, is_growing: bool = False, block_level: int = 1, html_level: int = 0
    ) -> None:
        super().__init__(hidden(source), Frame("Document", block_level=block_level), is_growing=is_growing)
        self._end_of_text = len(self._source.rstrip().encode()) if is_growing else None
        self._has_math = has_math
        self._html_level = html_level
        self._has_formats = "<" in source or SPOILER in source
        self._bytes: bytes | None = None

    def build(self) -> tuple[Block, ...]:
        # Most of the time of rendering passes in this loop, so it calls little for the most frequent events.
        for event, place in raw_events(self._source, has_math=self._has_math):
            if isinstance(event, str):
                self._leaf(event, None, place)
                continue
            [(kind, value)] = event.items()
            if kind == "Text":
                self._open[-1].children.append(Text(value))
            elif kind == "Start":
                self._start(value, place["start"])
            elif kind == "End":
                self._end(place["end"])
            else:
                self._leaf(kind, value, place)
        while len(self._open) > 1:
            self._close()
        return as_blocks(self._formatted(self._open[0]))

    def _start(self, tag: Any, place: int) -> None:  # noqa: ANN401  pyromark.event: Tag
        kind, data = (tag, None) if isinstance(tag, str) else next(iter(tag.items()))
        self._push(kind, self._number_at(place) if kind == "Item" and self._open[-1].data is not None else data)

    def _number_at(self, place: int) -> tuple[int, str]:
        """Return the number of an item as it is written, and the character after it."""
        if self._bytes is None:
            self._bytes = self._source.encode()
        found = _NUMBER.match(self._bytes, place)
        # The parser may place an empty item at white space before it.
        return (int(self._open[-1].data), ".") if found is None else (int(found[1]), found[2].decode())

    def _push(self, kind: str, data: object) -> None:
        parent = self._open[-1]
        level, limit = parent.block_level, MOST_BLOCK_LEVELS
        if is_inline := kind in _INLINE_KINDS:
            level, limit = parent.inline_level, MOST_INLINE_LEVELS
        is_flat = parent.is_flat if kind in {"Item", "HtmlItem"} else level >= limit and kind in _CAN_BE_FLAT
        frame = Frame(kind, data, is_flat, block_level=parent.block_level, inline_level=parent.inline_level)
        frame.inline_level += is_inline and not is_flat
        frame.block_level += not is_inline and not is_flat
        if is_flat:
            # Its children are the parent's: to move them up level by level would take quadratic time.
            frame.children = parent.children
            self._separate(frame)
        self._open.append(frame)

    def _end(self, end: int) -> None:
        # The parser knows nothing of details, so the end is not theirs.
        while self._open[-1].kind in OF_HTML:
            self._close()
        kind = self._open[-1].kind
        if self._end_of_text is not None and end >= self._end_of_text:
            self._open[-1].is_growing = True
        if kind == "TableCell":
            self._open[-2].cells_end = end
        elif kind == "TableRow":
            self._keep_further_cells(end)
        elif kind == "Paragraph" and self._open[-2].kind == "Item":
            self._open[-2].is_loose = True
        if kind == "HtmlBlock" or (kind == "CodeBlock" and self._is_indented_html()):
            self._html_block(self._open.pop())
        else:
            self._close()

    def _close(self) -> None:
        frame = self._open.pop()
        parent = self._open[-1]
        if frame.is_flat:
            self._separate(frame)
        else:
            frame.children = self._formatted(frame)
            parent.children.extend(_MAKERS[frame.kind](frame))
            parent.is_loose |= frame.kind == "Item" and frame.is_loose

    def _formatted(self, frame: Frame) -> list[Any]:
        """Return the children of a node with HTML and spoilers applied."""
        if not self._has_formats or frame.kind in _WITHOUT_FORMATS or not has_formats(frame.children):
            return frame.children
        return with_formats(frame.children, self._between, is_growing=self._is_growing)

    def _between(self, start: int, end: int) -> str:
        """Return the source between two bytes."""
        if self._bytes is None:
            self._bytes = self._source.encode()
        return shown(self._bytes[start:end].decode())

    def _separate(self, frame: Frame) -> None:
        if frame.kind not in _INLINE_KINDS:
            frame.children.append(BREAK)

    def _leaf(self, kind: str, value: Any, place: Any) -> None:  # noqa: ANN401  its type depends on the kind
        add = self._open[-1].children.append
        match kind:
            case "SoftBreak" | "HardBreak":
                add(Text("\n"))
            case "InlineHtml":
                # The places are those of the source with hidden marks.
                add(HtmlTag.of(shown(value), place["start"], place["end"]))
            case "FootnoteReference":
                add(Text(f"[{shown(value)}]"))
            case "TaskListMarker":
                next(frame for frame in reversed(self._open) if frame.kind == "Item").checked = bool(value)
            case _:
                add(_LEAVES[kind](shown(value) if value else value))

    def _markdown_in_html(self, text: str) -> tuple[Block, ...]:
        if self._html_level == MOST_HTML_LEVELS:
            return as_blocks([Text(text)])
        if not self._is_growing and (plain := _PLAIN_TAG.fullmatch(text)) and not _BREAK.match(plain[1]):
            return (Paragraph((Text(plain[1]),)),)
        if (shown := void(HtmlTag.of(text.strip(), 0, 0))) is not None:
            return as_blocks([shown])
        level = self._open[-1].block_level
        builder = _Builder(
            escaped_html(text),
            has_math=self._has_math,
            is_growing=self._is_growing,
            block_level=level,
            html_level=self._html_level + 1,
        )
        return builder.build()

    def _keep_further_cells(self, end: int) -> None:
        """Keep cells beyond the last column, which GFM drops, in the last one: most often they are code with a bar."""
        row = self._open[-1]
        if self._bytes is None:
            self._bytes = self._source.encode()
        more = self._bytes[row.cells_end : end].decode().strip(" |\t\n")
        if more and row.children:
            row.children[-1] = (*row.children[-1], Text(" | " + more))


def _list(frame: Frame) -> Iterable[Node]:
    items = [child for child in frame.children if isinstance(child, Item)]
    if len({item.number for item in items}) == 1 and (first := items[0].number) is not None:
        # Many number all items with 1.
        items = [replace(item, number=number) for number, item in enumerate(items, first)]
    return [List(tuple(items), not frame.is_loose)] if items else []


def _item(frame: Frame) -> Iterable[Node]:
    number, after = frame.data or (None, ".")
    return [Item(as_blocks(frame.children, is_growing=frame.is_growing), frame.checked, number, after)]


def _table(frame: Frame) -> Iterable[Node]:
    header, *rows = frame.children
    aligns: tuple[Align, ...] = tuple(_ALIGNS.get(align, "left") for align in frame.data)
    return [Table(aligns, header, tuple(rows))]


def _code_block(frame: Frame) -> Iterable[Node]:
    info = shown(str(frame.data.get("Fenced", ""))) if isinstance(frame.data, dict) else ""  # pyright: ignore[reportUnknownArgumentType,reportUnknownMemberType]  pyromark.event: CodeBlockKind
    # Telegram shows a tab as one space, which would remove the indentation.
    code = plain_text(frame.children).removesuffix("\n").expandtabs(_TAB_WIDTH)
    if not code.strip():
        return [CodeBlock(info, "")] if info else []
    language, _, more = info.partition(" ")
    block = CodeBlock(code, language.partition(",")[0])
    return [Paragraph((Text(more),)), block] if more else [block]


def _details(frame: Frame) -> Iterable[Node]:
    return [Details(frame.data.text, as_blocks(frame.children), frame.data.is_open)]


def _link(frame: Frame) -> Iterable[Node]:
    url = shown(str(frame.data["dest_url"]))
    is_email = frame.data["link_type"] == "Email"
    return [Link("mailto:" + url if is_email else url, as_inlines(frame.children))]


_WITHOUT_FORMATS = frozenset({"CodeBlock", "HtmlBlock", "List", "Table", "TableHead", "TableRow"})
_CAN_BE_FLAT = _INLINE_KINDS | {"BlockQuote", "List", "FootnoteDefinition", "Details", "HtmlQuote", "HtmlList"}
_LEAVES: Mapping[str, Callable[[Any], Node]] = {
    "Html": Text,
    "Code": Code,
    "InlineMath": Math,
    "DisplayMath": Formula,
    "Rule": lambda _: Rule(),
}
_MAKERS: Mapping[str, Callable[[Frame], Iterable[Node]]] = {
    "Paragraph": lambda frame: as_blocks(frame.children, is_growing=frame.is_growing),
    "Heading": lambda frame: [
        Heading(int(frame.data["level"][1]), as_inlines(frame.children, is_growing=frame.is_growing))
    ],
    "BlockQuote": lambda frame: [Quote(with_heading(as_blocks(frame.children)))],
    "CodeBlock": _code_block,
    "List": _list,
    "Item": _item,
    "FootnoteDefinition": lambda frame: [Footnote(shown(str(frame.data)), as_blocks(frame.children))],
    "Details": _details,
    "HtmlQuote": lambda frame: [Quote(as_blocks(frame.children))],
    "HtmlList": lambda frame: html_list(frame.children, frame.data),
    "HtmlItem": lambda frame: [Item(as_blocks(frame.children))],
    "HtmlHeading": lambda frame: html_heading(frame.children, frame.data),
    "HtmlTable": lambda frame: html_table(frame.children),
    "HtmlRow": lambda frame: [html_row(frame.children)],
    "HtmlCell": lambda frame: [inlines_of(as_blocks(frame.children))],
    "Table": _table,
    "TableHead": lambda frame: [tuple(frame.children)],
    "TableRow": lambda frame: [tuple(frame.children)],
    "TableCell": lambda frame: [as_inlines(frame.children, is_growing=frame.is_growing)],
    "Link": _link,
    "Image": _link,
}
