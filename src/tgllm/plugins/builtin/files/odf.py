"""Reader of OpenDocument files: texts, spreadsheets and presentations."""

import zipfile
import zlib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.formats.odf_body import OdfBody, whole
from tgllm.plugins.builtin.files.formats.odf_sheets import OdfSheet, read_sheets
from tgllm.plugins.builtin.files.formats.ooxml import attribute, children
from tgllm.plugins.builtin.files.shared.archives import open_archive, read_member
from tgllm.plugins.builtin.files.shared.building import TextBuilder
from tgllm.plugins.builtin.files.shared.long_tables import add_rows, room_for
from tgllm.plugins.builtin.files.shared.xml import local_name, parse_xml

__all__ = ["extract"]

_CONTENT: Final = "content.xml"
_MANIFEST: Final = "META-INF/manifest.xml"


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read an OpenDocument file.

    Raises:
        FileUnreadable: it is empty, damaged, protected by a password or too large.
    """
    with open_archive(path, limits, parsed=False) as archive:
        if b"encryption-data" in (read_member(archive, _MANIFEST) or b""):
            raise FileUnreadable("The document needs a password", code="file_password")
        if b"spreadsheet" in (read_member(archive, "mimetype") or b""):
            return _spreadsheet(archive, limits)
    # The others are parsed as a whole.
    with open_archive(path, limits) as archive:
        content = read_member(archive, _CONTENT)
        document = parse_xml(content) if content else None
        root = next(iter(children(document, "body")), None)
        if document is None or root is None:
            raise FileUnreadable("This is no OpenDocument file", code="file_broken")
        if local_name(root) == "spreadsheet":
            return _spreadsheet(archive, limits)
        reader = OdfBody(frozenset(_numbered(document)))
        if local_name(root) == "presentation":
            return _presentation(root, reader, limits)
        return _text(root, reader, limits)


def _text(root: Any, reader: OdfBody, limits: ExtractionLimits) -> Extracted:  # noqa: ANN401  lxml has no types
    builder = TextBuilder(limits)
    for block in reader.blocks(root):
        if not builder.add(block):
            break
    _end(builder, reader)
    return Extracted(text=builder.text, truncated=builder.truncated)


def _end(builder: TextBuilder, reader: OdfBody) -> None:
    """Add notes and a remark on pictures.

    Raises:
        FileUnreadable: there is no text.
    """
    notes = "\n".join(reader.notes)
    if not builder.text and not notes:
        code = "file_no_text" if reader.pictures else "file_empty"
        raise FileUnreadable("The document has no text", code=code)
    builder.add(notes)
    if reader.pictures:
        builder.add(f"(Pictures in the document, which were not read: {reader.pictures}.)")


def _presentation(root: Any, reader: OdfBody, limits: ExtractionLimits) -> Extracted:  # noqa: ANN401  lxml has no types
    builder = TextBuilder(limits)
    pages = [element for element in root if local_name(element) == "page"]
    without_text = 0
    for number, page in enumerate(pages, 1):
        if builder.full:
            break
        pictures = reader.pictures
        blocks = list(_slide(page, reader))
        without_text += not blocks and reader.pictures > pictures
        if blocks:
            builder.mark("slide", number)
            builder.add("\n\n".join(blocks), after_mark=True)
    _end(builder, reader)
    return Extracted(text=builder.text, truncated=builder.truncated, pages=len(pages), without_text=without_text)


def _slide(page: Any, reader: OdfBody) -> Iterator[str]:  # noqa: ANN401  lxml has no types
    frames = [element for element in page if local_name(element) != "notes"]
    frames.sort(key=lambda frame: attribute(frame, "class") != "title")
    for frame in frames:
        text = "\n\n".join(reader.blocks([frame]))
        if text:
            yield f"# {' '.join(text.split())}" if attribute(frame, "class") == "title" else text
    text = "\n".join(
        block
        for frame in children(page, "notes")
        if attribute(frame, "class") == "notes"
        for block in reader.blocks([frame])
    )
    if text:
        yield f"Notes: {text}"


def _numbered(root: Any) -> Iterator[tuple[str, int]]:  # noqa: ANN401  lxml has no types
    """Yield the levels of list styles that have numbers, with the name of the style."""
    for element in root.iter():
        if local_name(element) == "list-level-style-number" and attribute(element, "num-format"):
            yield attribute(element.getparent(), "name") or "", whole(attribute(element, "level"))


def _spreadsheet(archive: zipfile.ZipFile, limits: ExtractionLimits) -> Extracted:
    etree: Any = import_module("lxml.etree")
    try:
        with archive.open(_CONTENT) as file:
            sheets = list(read_sheets(file, limits.max_chars))
    except (KeyError, etree.XMLSyntaxError, zipfile.BadZipFile, EOFError, OSError, zlib.error) as error:
        raise FileUnreadable("The spreadsheet is damaged", code="file_broken") from error
    if not any(sheet.rows for sheet in sheets):
        raise FileUnreadable("The spreadsheet has no values", code="file_empty")
    builder, cut = TextBuilder(limits), False
    for number, sheet in enumerate(sheets):
        if builder.full:
            break
        builder.mark("sheet", sheet.name + (" (hidden)" if sheet.hidden else ""))
        cut = not _add(builder, sheet, is_last=number == len(sheets) - 1) or cut
    return Extracted(text=builder.text, truncated=builder.truncated or cut, pages=len(sheets))


def _add(builder: TextBuilder, sheet: OdfSheet, *, is_last: bool) -> bool:
    """Add a sheet without its empty columns; return whether all of it fitted."""
    if not sheet.rows:
        return builder.line("(empty)")
    used = sorted({column for row in sheet.rows for column, text in enumerate(row) if text})
    rows = ([row[column] if column < len(row) else "" for column in used] for row in sheet.rows)
    return add_rows(builder, rows, len(used), sheet.in_all, room_for(builder, is_last=is_last))
