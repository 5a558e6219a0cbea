"""Reader of PowerPoint presentations: titles, bullets, tables and notes, by slide."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.formats.ooxml import Package, Relation, attribute, child, children
from tgllm.plugins.builtin.files.shared.archives import open_archive
from tgllm.plugins.builtin.files.shared.building import TextBuilder, clean_text, one_line
from tgllm.plugins.builtin.files.shared.tables import table_lines, trimmed
from tgllm.plugins.builtin.files.shared.xml import local_name

__all__ = ["extract"]

_TITLES: Final = frozenset({"title", "ctrTitle"})
_LEFT_OUT: Final = frozenset({"sldNum", "dt", "ftr", "hdr"})
"""Placeholders that say the same on every slide."""
_MOST_DEPTH: Final = 40
_MOST_SLIDES: Final = 5_000
_MOST_LEVELS: Final = 8
_MOST_POINTS: Final = 5_000
"""Values of a series of a chart that are read."""


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a presentation.

    Raises:
        FileUnreadable: it is empty, damaged, of an old format, protected by a password or too large.
    """
    with open_archive(path, limits) as archive:
        package = Package(archive)
        name = package.main_part()
        root = package.part(name) if name else None
        if root is None or local_name(root) != "presentation":
            raise FileUnreadable("This is no presentation", code="file_broken")
        relations = package.relations(name)
        ids = [attribute_id(slide) for slide in children(root, "sldIdLst")]
        names = [relations[each].target for each in ids if each in relations][:_MOST_SLIDES]
        return _read(package, names, limits)


def _read(package: Package, names: list[str], limits: ExtractionLimits) -> Extracted:
    builder = TextBuilder(limits)
    without_text = pictures = 0
    for number, name in enumerate(names, 1):
        if builder.full:
            break
        root = package.part(name)
        if root is None:
            continue
        slide = _Slide(package, package.relations(name))
        blocks = list(slide.blocks(root))
        pictures += slide.pictures
        without_text += not blocks and bool(slide.pictures)
        if not blocks:
            continue
        if root.get("show") == "0":
            blocks.insert(0, "(hidden)")
        builder.mark("slide", number)
        builder.add("\n\n".join(blocks), after_mark=True)
    if not builder.text:
        if pictures:
            raise FileUnreadable("The presentation has no text", code="file_no_text")
        raise FileUnreadable("The presentation has no content", code="file_empty")
    if pictures:
        builder.add(f"(Pictures in the presentation, which were not read: {pictures}.)")
    return Extracted(text=builder.text, truncated=builder.truncated, pages=len(names), without_text=without_text)


class _Slide:
    """Text of one slide."""

    def __init__(self, package: Package, relations: dict[str, Relation]) -> None:
        self._package = package
        self._relations = relations
        self.pictures = 0

    def blocks(self, root: Any) -> Iterator[str]:  # noqa: ANN401  lxml has no types
        """Yield title, texts and tables in order, then the notes."""
        shapes = list(self._shapes(children(root, "cSld", "spTree"), 0))
        # A title may be drawn last.
        shapes.sort(key=lambda shape: _placeholder(shape) not in _TITLES)
        for shape in shapes:
            yield from self._shape(shape)
        for kind, title in (("notesSlide", "Notes"), ("comments", "Comments")):
            text = self._beside(kind)
            if text:
                yield f"{title}: {text}"

    def _shapes(self, container: Any, depth: int) -> Iterator[Any]:  # noqa: ANN401  lxml has no types
        """Yield the shapes of a container and of the groups in it."""
        if depth > _MOST_DEPTH:
            return
        for element in container:
            name = local_name(element)
            if name == "grpSp":
                yield from self._shapes(element, depth + 1)
            elif name == "AlternateContent":
                choice = child(element, "Choice")
                yield from self._shapes(choice if choice is not None else children(element, "Fallback"), depth + 1)
            elif name in {"sp", "graphicFrame", "cxnSp"}:
                yield element
            elif name == "pic":
                self.pictures += 1

    def _shape(self, shape: Any) -> Iterator[str]:  # noqa: ANN401  lxml has no types
        kind = _placeholder(shape)
        if kind in _LEFT_OUT:
            return
        table = next((each for each in shape.iter() if local_name(each) == "tbl"), None)
        if table is not None:
            yield from self._table(table)
        elif local_name(shape) == "graphicFrame":
            yield from self._graphic(shape)
        else:
            lines = self._lines(child(shape, "txBody"), bullets=kind in {"body", "obj", "subTitle"})
            text = "\n".join(lines)
            if text and kind in _TITLES:
                yield f"# {' '.join(text.split())}"
            elif text:
                yield text

    def _lines(self, body: Any, *, bullets: bool) -> list[str]:  # noqa: ANN401  lxml has no types
        """Return the paragraphs of a text; those of a list with their level."""
        lines: list[tuple[int, bool, str]] = []
        for paragraph in body if body is not None else ():
            if local_name(paragraph) != "p":
                continue
            text = clean_text("".join(self._runs(paragraph))).strip()
            properties = child(paragraph, "pPr")
            level = _level(properties)
            is_item = level > 0 or (bullets and child(properties, "buNone") is None) or _has_bullet(properties)
            if text:
                lines.append((level, is_item, text))
        if len(lines) == 1 and lines[0][0] == 0:
            return [lines[0][2]]
        return [f"{'  ' * level}- {text}" if is_item else text for level, is_item, text in lines]

    def _runs(self, paragraph: Any) -> Iterator[str]:  # noqa: ANN401  lxml has no types
        for element in paragraph.iter():
            name = local_name(element)
            if name == "t" and local_name(element.getparent()) != "delText":
                text = element.text or ""
                relation = self._relations.get(attribute_id(child(element.getparent(), "rPr", "hlinkClick")))
                address = one_line(relation.target) if relation and relation.external else ""
                yield f"[{text}]({address})" if address and address != text.strip() else text
            elif name == "br":
                yield "\n"
            elif name == "tab":
                yield "\t" if local_name(element.getparent()) != "tabLst" else ""

    def _table(self, table: Any) -> Iterator[str]:  # noqa: ANN401  lxml has no types
        rows: list[list[str]] = []
        for row in table:
            if local_name(row) != "tr":
                continue
            cells: list[str] = []
            for cell in row:
                if local_name(cell) != "tc":
                    continue
                above = rows[-1] if rows else []
                merged = cell.get("vMerge") in {"1", "true"} and len(cells) < len(above)
                text = " ".join(self._lines(child(cell, "txBody"), bullets=False))
                cells.append(above[len(cells)] if merged else text)
            rows.append(cells)
        rows = trimmed(rows)
        if rows:
            yield "\n".join(table_lines(rows, max(len(row) for row in rows)))

    def _graphic(self, frame: Any) -> Iterator[str]:  # noqa: ANN401  lxml has no types
        """Yield the texts of a diagram, or the values of a chart."""
        for element in frame.iter():
            for key, value in element.attrib.items():
                relation = self._relations.get(str(value)) if "}" in str(key) else None
                if relation is None or relation.external or relation.kind not in {"diagramData", "chart"}:
                    continue
                root = self._package.part(relation.target)
                if root is None:
                    continue
                if relation.kind == "chart":
                    yield from _chart(root)
                else:
                    points = (
                        " ".join("".join(self._runs(each)).split()) for each in root.iter() if local_name(each) == "t"
                    )
                    yield "\n".join(f"- {point}" for point in points if point)

    def _beside(self, kind: str) -> str:
        """Return the text of the notes or comments of the slide."""
        texts: list[str] = []
        for relation in self._relations.values():
            root = self._package.part(relation.target) if relation.kind == kind and not relation.external else None
            if root is None:
                continue
            if kind == "comments":
                texts += [(element.text or "").strip() for element in root.iter() if local_name(element) == "text"]
                continue
            for shape in self._shapes(children(root, "cSld", "spTree"), 0):
                if _placeholder(shape) == "body":
                    texts += [line.lstrip("- ") for line in self._lines(child(shape, "txBody"), bullets=False)]
        return "\n".join(text for text in texts if text)


def _chart(root: Any) -> Iterator[str]:  # noqa: ANN401  lxml has no types
    """Yield a chart as a table: a column for each series."""
    columns: list[list[str]] = []
    for series in (element for element in root.iter() if local_name(element) == "ser"):
        values = {name: _values(child(series, name)) for name in ("tx", "cat", "xVal", "val", "yVal")}
        labels = values["cat"] or values["xVal"]
        if not columns and labels:
            columns.append(["", *labels])
        columns.append([" ".join(values["tx"]), *(values["val"] or values["yVal"])])
    rows = max((len(column) for column in columns), default=0)
    if rows:
        table = [[column[row] if row < len(column) else "" for column in columns] for row in range(rows)]
        yield "Chart:\n" + "\n".join(table_lines(table, len(columns)))


def _values(element: Any) -> list[str]:  # noqa: ANN401  lxml has no types
    """Return the cached values of a series, name or axis; of categories in several levels the lowest."""
    if element is None:
        return []
    levels = [each for each in element.iter() if local_name(each) == "lvl"]
    points = [each for each in (levels[0] if levels else element).iter() if local_name(each) == "pt"]
    values = {
        _whole(point.get("idx")): " ".join((value.text or "").split())
        for point in points[:_MOST_POINTS]
        for value in point
        if local_name(value) == "v"
    }
    if not points:
        return [" ".join((each.text or "").split()) for each in element.iter() if local_name(each) == "v"]
    return [values.get(index, "") for index in range(min(max(values, default=-1) + 1, _MOST_POINTS))]


def attribute_id(element: Any) -> str:  # noqa: ANN401  lxml has no types
    """Return the id of a relation, which has a namespace, unlike the id of a slide."""
    if element is None:
        return ""
    return next((str(value) for key, value in element.attrib.items() if str(key).endswith("}id")), "")


def _placeholder(shape: Any) -> str:  # noqa: ANN401  lxml has no types
    """Return the kind of a placeholder; empty for other shapes."""
    for outer in shape:
        mark = child(outer, "nvPr", "ph")
        if mark is not None:
            return attribute(mark, "type") or "obj"
    return ""


def _level(properties: Any) -> int:  # noqa: ANN401  lxml has no types
    return min(_whole(attribute(properties, "lvl")), _MOST_LEVELS)


def _whole(text: str | None) -> int:
    """Return a whole number; 0 if it is none."""
    digits = text or "0"
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 7 else 0


def _has_bullet(properties: Any) -> bool:  # noqa: ANN401  lxml has no types
    return any(child(properties, name) is not None for name in ("buChar", "buAutoNum", "buBlip"))
