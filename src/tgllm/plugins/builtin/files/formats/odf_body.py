"""Text of an OpenDocument file: paragraphs, lists and tables, without what was deleted."""

from collections.abc import Iterator
from typing import Any, Final

from tgllm.plugins.builtin.files.formats.ooxml import attribute, children
from tgllm.plugins.builtin.files.shared.building import clean_text, one_line
from tgllm.plugins.builtin.files.shared.tables import table_lines, trimmed
from tgllm.plugins.builtin.files.shared.xml import local_name

__all__ = ["OdfBody", "whole"]

_LEFT_OUT: Final = frozenset(
    {"tracked-changes", "table-of-content", "forms", "sequence-decls", "hidden-text", "notes", "bibliography-mark"}
)
_MOST_DEPTH: Final = 60
_MOST_SPACES: Final = 100
_MOST_COLUMNS: Final = 200


class OdfBody:
    """Blocks of a document."""

    def __init__(self, numbered: frozenset[tuple[str, int]]) -> None:
        """Create it; ``numbered`` are the levels of list styles that have numbers."""
        self._numbered = numbered
        self._boxes: list[Any] = []
        self.notes: list[str] = []
        """Footnotes and comments so far."""
        self.pictures = 0
        """Pictures so far."""

    def blocks(self, container: Any, depth: int = 0) -> Iterator[str]:  # noqa: ANN401  lxml has no types
        """Yield the blocks of a container."""
        if depth > _MOST_DEPTH:
            return
        for element in container:
            name = local_name(element)
            if name in {"p", "h"}:
                yield from self._paragraph(element, name, depth)
            elif name == "list":
                text = "\n".join(self._items(element, "", 0, depth))
                if text:
                    yield text
            elif name == "table":
                yield from self._table(element, depth)
            elif name == "image":
                self.pictures += 1
            elif name not in _LEFT_OUT:
                yield from self.blocks(element, depth + 1)

    def _paragraph(self, element: Any, name: str, depth: int) -> Iterator[str]:  # noqa: ANN401  lxml has no types
        text = clean_text("".join(self._inline(element, 0))).strip()
        boxes, self._boxes = self._boxes, []
        if text:
            level = min(whole(attribute(element, "outline-level"), 1), 6)
            yield f"{'#' * level} {' '.join(text.split())}" if name == "h" else text
        for box in boxes:
            yield from self.blocks(box, depth + 1)

    def _items(self, listing: Any, style: str, level: int, depth: int) -> Iterator[str]:  # noqa: ANN401  lxml has no types
        """Yield the lines of a list."""
        style = attribute(listing, "style-name") or style
        number = 0
        for item in listing:
            if local_name(item) not in {"list-item", "list-header"} or depth > _MOST_DEPTH:
                continue
            number += local_name(item) == "list-item"
            label = f"{number}." if (style, level + 1) in self._numbered else "-"
            for element in item:
                if local_name(element) == "list":
                    yield from self._items(element, style, level + 1, depth + 1)
                    continue
                for block in self.blocks([element], depth + 1):
                    yield f"{'  ' * level}{label} {block}"
                    label = " " * len(label)

    def _inline(self, element: Any, depth: int) -> Iterator[str]:  # noqa: ANN401  lxml has no types
        """Yield the text within a paragraph."""
        if depth > _MOST_DEPTH:
            return
        yield element.text or ""
        for part in element:
            name = local_name(part)
            if name == "s":
                yield " " * min(whole(attribute(part, "c"), 1), _MOST_SPACES)
            elif name in {"tab", "line-break"}:
                yield "\t" if name == "tab" else "\n"
            elif name == "a":
                yield self._link(part, depth)
            elif name in {"note", "annotation"}:
                yield self._note(part, name)
            elif name in {"frame", "custom-shape", "g"}:
                self._boxes.append(part)
            elif name and name not in _LEFT_OUT:
                yield from self._inline(part, depth + 1)
            yield part.tail or ""

    def _link(self, link: Any, depth: int) -> str:  # noqa: ANN401  lxml has no types
        text, address = "".join(self._inline(link, depth + 1)), one_line(attribute(link, "href") or "")
        is_outside = "://" in address or address.startswith("mailto:")
        return f"[{text}]({address})" if is_outside and text.strip() and text.strip() != address else text

    def _note(self, note: Any, name: str) -> str:  # noqa: ANN401  lxml has no types
        """Remember a footnote or comment, and return the sign that refers to it."""
        number = len(self.notes) + 1
        sign = f"[^{number}]" if name == "note" else f"[comment {number}]"
        author = one_line("".join(each.text or "" for each in note if local_name(each) == "creator"))
        body = children(note, "note-body") if name == "note" else note
        self.notes.append("")
        blocks = OdfBody(self._numbered).blocks([each for each in body if local_name(each) in {"p", "list", "h"}])
        text = " ".join(" ".join(blocks).split())
        self.notes[number - 1] = f"{sign}: " + (f"{author}: " if author else "") + text
        return sign

    def _table(self, table: Any, depth: int) -> Iterator[str]:  # noqa: ANN401  lxml has no types
        rows: list[list[str]] = []
        for row in table.iter():
            if local_name(row) != "table-row" or _table_of(row) is not table:
                continue
            cells: list[str] = []
            for cell in row:
                if local_name(cell) not in {"table-cell", "covered-table-cell"}:
                    continue
                text = "; ".join(" ".join(block.split()) for block in self.blocks(cell, depth + 1))
                repeated = min(whole(attribute(cell, "number-columns-repeated"), 1), _MOST_COLUMNS - len(cells))
                cells += [text] * repeated
            rows.append(cells)
        rows = trimmed(rows)
        if rows:
            yield "\n".join(table_lines(rows, max(len(row) for row in rows)))


def _table_of(row: Any) -> Any:  # noqa: ANN401  lxml has no types
    """Return the table that a row belongs to; tables may be nested."""
    element = row.getparent()
    while element is not None and local_name(element) != "table":
        element = element.getparent()
    return element


def whole(text: str | None, default: int = 0) -> int:
    """Return a whole number of a few digits, or the default."""
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 9 else default
