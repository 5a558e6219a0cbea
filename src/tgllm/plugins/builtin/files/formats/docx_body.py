"""Text of a docx file: paragraphs, lists and tables in order, without what was deleted or is hidden."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from tgllm.plugins.builtin.files.formats.docx_styles import Numbering, Style, number
from tgllm.plugins.builtin.files.formats.ooxml import Relation, attribute, child, children, is_on
from tgllm.plugins.builtin.files.shared.building import clean_text, one_line
from tgllm.plugins.builtin.files.shared.tables import table_lines, trimmed
from tgllm.plugins.builtin.files.shared.xml import local_name

__all__ = ["Block", "Body"]

_LEFT_OUT: Final = frozenset({"del", "moveFrom", "pPr", "rPr", "delText", "instrText", "delInstrText", "rt", "sectPr"})
_BLOCKS_WITHIN: Final = frozenset(
    {"sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag", "body", "txbxContent"}
)
_BREAKS: Final = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}
_MOST_DEPTH: Final = 60
_MOST_COLUMNS: Final = 200


class Block(NamedTuple):
    """Paragraph, item of a list, or table."""

    text: str
    is_item: bool = False


class Body:
    """Blocks of a part, as Markdown."""

    def __init__(
        self, styles: Mapping[str, Style], numbering: Numbering, relations: Mapping[str, Relation] | None = None
    ) -> None:
        """Create it; relations lead to the addresses of links."""
        self._styles = styles
        self._numbering = numbering
        self._relations = relations or {}
        self._boxes: list[Any] = []
        self.pictures = 0
        """Pictures so far."""

    def blocks(self, container: Any, depth: int = 0) -> Iterator[Block]:  # noqa: ANN401  lxml has no types
        """Yield the blocks of a container."""
        if depth > _MOST_DEPTH:
            return
        for element in container:
            name = local_name(element)
            if name == "p":
                yield from self._paragraph(element, depth)
            elif name == "tbl":
                yield from self._table(element, depth)
            elif name in _BLOCKS_WITHIN:
                yield from self.blocks(element, depth + 1)

    def _paragraph(self, paragraph: Any, depth: int) -> Iterator[Block]:  # noqa: ANN401  lxml has no types
        properties = child(paragraph, "pPr")
        style = self._styles.get(attribute(child(properties, "pStyle"), "val") or "", Style())
        text = clean_text("".join(self._inline(paragraph, 0))).strip()
        boxes, self._boxes = self._boxes, []
        if text:
            prefix = self._prefix(properties, style)
            yield Block(prefix + text, is_item=bool(prefix) and not style.heading)
        for box in boxes:
            yield from self.blocks(box, depth + 1)

    def _prefix(self, properties: Any, style: Style) -> str:  # noqa: ANN401  lxml has no types
        """Return the sign of a heading and the label of a list item."""
        listing = child(properties, "numPr")
        list_id = attribute(child(listing, "numId"), "val") or style.list_id
        level = number(attribute(child(listing, "ilvl"), "val"), style.level)
        label = self._numbering.label(list_id, level) if list_id else None
        if style.heading:
            return f"{'#' * min(style.heading, 6)} " + (f"{label} " if label and label != "-" else "")
        return "" if label is None else f"{'  ' * level}{label or '-'} "

    def _inline(self, element: Any, depth: int) -> Iterator[str]:  # noqa: ANN401  lxml has no types
        """Yield the text within a paragraph."""
        if depth > _MOST_DEPTH:
            return
        for part in element:
            name = local_name(part)
            leaf = _leaf(name, part)
            if leaf is not None:
                yield leaf
            elif name == "hyperlink":
                yield self._link(part, depth)
            elif name == "AlternateContent":
                yield from self._inline(_one_of(part), depth + 1)
            elif name in {"drawing", "pict", "object"}:
                self._drawing(part)
            elif name not in _LEFT_OUT and not (name == "r" and is_on(child(part, "rPr", "vanish"))):
                yield from self._inline(part, depth + 1)

    def _link(self, link: Any, depth: int) -> str:  # noqa: ANN401  lxml has no types
        text = "".join(self._inline(link, depth + 1))
        relation = self._relations.get(attribute(link, "id") or "")
        address = one_line(relation.target) if relation and relation.external else ""
        return f"[{text}]({address})" if text.strip() and address and address != text.strip() else text

    def _drawing(self, drawing: Any) -> None:  # noqa: ANN401  lxml has no types
        """Remember the text boxes of a drawing, and count its pictures."""
        fallbacks = set[Any]()
        for element in drawing.iter():
            name = local_name(element)
            if name == "Fallback" or (fallbacks and element.getparent() in fallbacks):
                fallbacks.add(element)
            elif name == "txbxContent":
                self._boxes.append(element)
            elif name in {"blip", "imagedata"}:
                self.pictures += 1

    def _table(self, table: Any, depth: int) -> Iterator[Block]:  # noqa: ANN401  lxml has no types
        rows = [list(_within(row, "tc")) for row in _within(table, "tr") if child(row, "trPr", "del") is None]
        if all(len(row) <= 1 for row in rows):
            # A frame round text.
            for row in rows:
                for cell in row:
                    yield from self.blocks(cell, depth + 1)
            return
        texts: list[list[str]] = []
        for row in rows:
            above = texts[-1] if texts else []
            cells: list[str] = []
            for cell in row:
                merge, span = (
                    child(cell, "tcPr", "vMerge"),
                    number(attribute(child(cell, "tcPr", "gridSpan"), "val"), 1),
                )
                continues = merge is not None and attribute(merge, "val") != "restart"
                text = above[len(cells)] if continues and len(cells) < len(above) else self._cell(cell, depth)
                cells += [text, *[""] * (min(max(span, 1), _MOST_COLUMNS) - 1)]
            texts.append(cells)
        texts = trimmed(texts)
        if texts:
            yield Block("\n".join(table_lines(texts, max(len(row) for row in texts))))

    def _cell(self, cell: Any, depth: int) -> str:  # noqa: ANN401  lxml has no types
        return "; ".join(" ".join(block.text.split()) for block in self.blocks(cell, depth + 1))


def _leaf(name: str, element: Any) -> str | None:  # noqa: ANN401  lxml has no types
    """Return the text of an element that holds no others; None for other elements."""
    match name:
        case "t":
            return element.text or ""
        case "sym":
            return _symbol(element)
        case "footnoteReference":
            return f"[^{attribute(element, 'id')}]"
        case "endnoteReference":
            return f"[^e{attribute(element, 'id')}]"
        case "commentReference":
            return f"[comment {attribute(element, 'id')}]"
        case _:
            return _BREAKS.get(name)


def _within(element: Any, name: str, depth: int = 0) -> Iterator[Any]:  # noqa: ANN401  lxml has no types
    """Yield the rows or cells of a table, those in content controls too."""
    for each in element:
        found = local_name(each)
        if found == name:
            yield each
        elif found in _BLOCKS_WITHIN and depth < _MOST_DEPTH:
            yield from _within(each, name, depth + 1)


def _one_of(alternatives: Any) -> Any:  # noqa: ANN401  lxml has no types
    """Return the first of several alternatives for the same content."""
    choice = child(alternatives, "Choice")
    return choice if choice is not None else children(alternatives, "Fallback")


def _symbol(element: Any) -> str:  # noqa: ANN401  lxml has no types
    """Return a character of a font of symbols, which mostly serves as a bullet or a tick box."""
    code = int(attribute(element, "char") or "0", 16) if _is_hex(attribute(element, "char")) else 0
    return _SYMBOLS.get(code, "•" if 0xE000 <= code <= 0xF8FF else chr(code) if code > 32 else "")


def _is_hex(text: str | None) -> bool:
    return bool(text) and len(text) <= 4 and all(char in "0123456789abcdefABCDEF" for char in text)


_SYMBOLS: Final = {
    0xF0FC: "✓", 0xF0FE: "☒", 0xF0A8: "☐", 0xF06F: "☐", 0xF0E0: "→", 0xF0E8: "→", 0xF0B0: "°", 0xF0A3: "≤",
    0xF0B3: "≥", 0xF0B1: "±", 0xF0B9: "≠", 0xF04A: "☺", 0xF061: "α", 0xF062: "β", 0xF06D: "μ", 0xF070: "π", 0xF057: "Ω",  # noqa: RUF001  the characters of these scripts
}  # fmt: skip
"""Characters of the fonts Wingdings and Symbol."""
