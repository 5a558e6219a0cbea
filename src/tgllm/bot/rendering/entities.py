"""Writes a document as text with entities."""

from collections.abc import Iterable, Mapping, Sequence

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
    Rule,
    Style,
    Styled,
    Table,
    Text,
)
from tgllm.bot.rendering.formulas import readable_formula
from tgllm.bot.rendering.links import email_of, is_web_link
from tgllm.bot.rendering.payloads import EntityType
from tgllm.bot.rendering.scripts import raised_or_lowered
from tgllm.bot.rendering.spans import FlatText, SpanWriter
from tgllm.bot.rendering.tables import aligned_table, is_much_longer, plain_table

__all__ = ["flat_text", "plain_inlines"]

RULE = "———"
BULLET = "•"
_SCRIPTS = frozenset({"subscript", "superscript"})
_BRACKETS = ("[", "(")
_STYLES: Mapping[str, EntityType] = {
    "bold": "bold",
    "italic": "italic",
    "underline": "underline",
    "strikethrough": "strikethrough",
    "spoiler": "spoiler",
    "marked": "underline",
}
_SHARES_LINE = (Paragraph, Heading, Formula)
TASKS = {True: "☑", False: "☐"}


def flat_text(blocks: Sequence[Block]) -> FlatText:
    """Return the document as one text of any length."""
    writer = _EntityWriter(SpanWriter())
    writer.blocks(blocks)
    return writer.out.flat()


def plain_inlines(inlines: Sequence[Inline]) -> str:
    """Return inlines as one unformatted line; the address of a link follows its label."""
    if len(inlines) == 1 and isinstance(inlines[0], Text):
        return " ".join(inlines[0].text.split())
    writer = _EntityWriter(SpanWriter(), has_links=False)
    writer.inlines(inlines)
    return " ".join(writer.out.flat().text.split())


class _EntityWriter:
    """Walks the tree recursively; the parser bounds its depth."""

    def __init__(self, out: SpanWriter, *, has_links: bool = True) -> None:
        self.out = out
        self._has_links = has_links
        self._in_link = False
        self._in_quote = False

    def blocks(self, blocks: Iterable[Block], newlines: int = 2) -> None:
        for index, block in enumerate(blocks):
            if index:
                self.out.gap(newlines)
            self._block(block)

    def inlines(self, inlines: Iterable[Inline]) -> None:
        for inline in inlines:
            match inline:
                case Text(text):
                    self.out.write(text)
                case Code(text):
                    self._code(text)
                case Math(tex):
                    self._math(tex)
                case Styled(style, children):
                    self._styled(style, children)
                case Link(url, children):
                    self._link(url, children)

    def _block(self, block: Block) -> None:  # noqa: C901  one case for each kind of block
        match block:
            case Paragraph(inlines):
                self.inlines(inlines)
            case Heading(_, inlines):
                self._styled("bold", inlines)
            case CodeBlock(code, language):
                self.out.pre(code, language)
            case Formula(tex):
                self._math(tex)
            case Quote(blocks):
                self._quote("blockquote", blocks)
            case List():
                self._list(block)
            case Table():
                self._table(block)
            case Details():
                self._details(block)
            case Footnote(label, blocks):
                self._after(f"[{label}] ", blocks, 2)
            case Rule():
                self.out.write(RULE)

    def _styled(self, style: Style, inlines: Sequence[Inline]) -> None:
        if style in _SCRIPTS:
            self._script(inlines, is_raised=style == "superscript")
            return
        kind = _STYLES[style]
        is_new = self.out.begin_style(kind)
        self.inlines(inlines)
        if is_new:
            self.out.end_style(kind)

    def _script(self, inlines: Sequence[Inline], *, is_raised: bool) -> None:
        """Write superscript or subscript as small characters, or behind a mark where there are none."""
        text = inlines[0].text if len(inlines) == 1 and isinstance(inlines[0], Text) else ""
        if text and (small := raised_or_lowered(text, is_raised=is_raised)) is not None:
            self.out.write(small)
        elif text.startswith(_BRACKETS) or not inlines:
            # The number of a note.
            self.inlines(inlines)
        else:
            self.out.write("^" if is_raised else "_")
            self.out.write("(" if len(text) != 1 else "")
            self.inlines(inlines)
            self.out.write(")" if len(text) != 1 else "")

    def _code(self, text: str) -> None:
        """Write inline code; within a link as plain text, since Telegram drops code there."""
        if self._in_link:
            self.out.write(text)
        else:
            self.out.code(text)

    def _math(self, tex: str) -> None:
        readable = readable_formula(tex)
        if readable is None:
            self._code(tex.strip())
        else:
            self.out.write(readable)

    def _link(self, url: str, inlines: Sequence[Inline]) -> None:
        label = inlines or (Text(url),)
        shown = "".join(inline.text for inline in label if isinstance(inline, Text)).strip()
        if self._in_link or not url:
            self.inlines(inlines)
        elif is_web_link(url) and self._has_links:
            self._in_link = True
            start = self.out.begin()
            self.inlines(label)
            self.out.mark("text_link", start, url=url)
            self._in_link = False
        elif shown == (email_of(url) or url):
            self._address(url)
        else:
            self.inlines(label)
            self.out.write(" (")
            self._address(url)
            self.out.write(")")

    def _address(self, url: str) -> None:
        """Write an address.

        Telegram detects email addresses by itself, but not behind ``mailto:`` (TDLib: parse_url). An address that must
        not become a link is written as code, where Telegram detects no links.
        """
        if email := email_of(url):
            self.out.write(email)
        elif is_web_link(url):
            self.out.write(url)
        else:
            self._code(url)

    def _quote(self, kind: EntityType, blocks: Sequence[Block]) -> None:
        """Write a quote; Telegram can't nest quotes, so the lines of an inner one begin with ``>``."""
        if self._in_quote:
            self._after("> ", blocks, 2, indent="> ")
        elif blocks:
            self._in_quote = True
            start = self.out.begin()
            self.blocks(blocks)
            self.out.mark(kind, start)
            self._in_quote = False

    def _details(self, details: Details) -> None:
        self._styled("bold", (Text(details.summary),))
        self.out.gap(1)
        self._quote("expandable_blockquote", details.blocks)

    def _list(self, block: List) -> None:
        newlines = 1 if block.is_tight else 2
        for index, item in enumerate(block.items):
            if index:
                self.out.gap(newlines)
            self._after(_marker(item), item.blocks, newlines)

    def _after(self, marker: str, blocks: Sequence[Block], newlines: int, indent: str = "  ") -> None:
        """Write blocks after a marker; a first block that can't share the marker's line begins a new one."""
        self.out.write(marker)
        before = self.out.indent(indent)
        if blocks and not isinstance(blocks[0], _SHARES_LINE):
            self.out.gap(1)
        self.blocks(blocks, newlines)
        self.out.dedent(before)

    def _table(self, table: Table) -> None:
        rows = [[plain_inlines(cell) for cell in row] for row in (table.header, *table.rows)]
        if aligned := aligned_table(rows, table.aligns):
            self.out.pre(aligned)
            return
        names = sum(map(len, rows[0])) + 2 * len(rows[0])
        if is_much_longer(names * len(rows), rows):
            self.out.pre(plain_table(rows))
            return
        for index, row in enumerate(table.rows or ((),)):
            if index:
                self.out.gap(2)
            self._record(table, row)

    def _record(self, table: Table, row: Sequence[Sequence[Inline]]) -> None:
        """Write a row of a wide table as lines of "column: cell"."""
        for index, name in enumerate(table.header):
            cell = row[index] if row else ()
            if index:
                self.out.gap(1)
            self._styled("bold", name)
            if cell:
                self.out.write(": " if name else "")
                self.inlines(cell)


def _marker(item: Item) -> str:
    number = "" if item.number is None else f"{item.number}{item.after}"
    if item.checked is None:
        return f"{number or BULLET} "
    return f"{number} {TASKS[item.checked]} " if number else f"{TASKS[item.checked]} "
