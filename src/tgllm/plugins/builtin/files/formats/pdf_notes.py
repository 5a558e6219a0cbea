"""What a PDF holds beside the text of its pages: title, contents, attached files, form fields and comments."""

import ctypes
import re
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any, Final

from tgllm.plugins.builtin.files.shared.building import one_line

__all__ = ["notes_of_page", "overview"]

_MOST_ENTRIES: Final = 200
_MOST_FILES: Final = 50
_MOST_NOTES: Final = 500
_LONGEST: Final = 64_000
"""Bytes of a value that are read."""
_NO_TITLE = re.compile(r"(?i)untitled.*|unbenannt|без имени|.*\.(docx?|indd|tex|dvi|pdf|qxd|p65|cdr)|\W*")
_PROGRAM = re.compile(r"(?i)^microsoft \w+ - ")


def overview(pdf: Any) -> str:  # noqa: ANN401  the library has no types
    """Return title, author, outline and names of attached files, each if there is one."""
    blocks: list[str] = []
    for key in ("Title", "Author"):
        value = _PROGRAM.sub("", one_line(str(pdf.get_metadata_value(key))))
        if not _NO_TITLE.fullmatch(value):
            blocks.append(f"{key}: {value}")
    entries = list(_outline(pdf))
    if entries:
        blocks.append("\n".join(["Contents:", *entries]))
    names = [one_line(str(pdf.get_attachment(i).get_name())) for i in range(min(pdf.count_attachments(), _MOST_FILES))]
    if names:
        blocks.append(f"Files inside, which were not read: {', '.join(names)}")
    return "\n".join(blocks)


def _outline(pdf: Any) -> Iterator[str]:  # noqa: ANN401  pypdfium2 has no types
    """Yield entries of the outline; one that refers to itself ends."""
    for number, entry in enumerate(pdf.get_toc(max_depth=6)):
        if number >= _MOST_ENTRIES:
            yield "- …"
            return
        title = one_line(str(entry.get_title()))
        target = entry.get_dest()
        page = target.get_index() if target else None
        if title:
            yield f"{'  ' * entry.level}- {title}" + ("" if page is None or page < 0 else f" (page {page + 1})")


def notes_of_page(page: Any, formenv: Any) -> str:  # noqa: ANN401  pypdfium2 has no types
    """Return the filled fields of forms and the comments on a page, which are not part of its text."""
    raw: Any = import_module("pypdfium2.raw")
    fields: list[str] = []
    comments: list[str] = []
    for number in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST_NOTES)):
        note = raw.FPDFPage_GetAnnot(page, number)
        if not note:
            continue
        try:
            subtype = raw.FPDFAnnot_GetSubtype(note)
            if subtype == raw.FPDF_ANNOT_WIDGET:
                fields += _field(raw, formenv, note)
            elif subtype not in {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP}:
                comment = _string(partial(raw.FPDFAnnot_GetStringValue, note, b"Contents"))
                comments += [f"- {comment}"] if comment else []
        finally:
            raw.FPDFPage_CloseAnnot(note)
    blocks = [(title, lines) for title, lines in (("Form fields:", fields), ("Comments:", comments)) if lines]
    return "\n\n".join("\n".join([title, *lines]) for title, lines in blocks)


def _field(raw: Any, formenv: Any, note: Any) -> Iterator[str]:  # noqa: ANN401  pypdfium2 has no types
    """Yield a line for a field that is filled in."""
    if formenv is None:
        return
    kind = raw.FPDFAnnot_GetFormFieldType(formenv, note)
    name = _string(partial(raw.FPDFAnnot_GetFormFieldAlternateName, formenv, note)) or _string(
        partial(raw.FPDFAnnot_GetFormFieldName, formenv, note)
    )
    if kind in {raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON}:
        value = "yes" if raw.FPDFAnnot_IsChecked(formenv, note) else ""
        if value and kind == raw.FPDF_FORMFIELD_RADIOBUTTON:
            value = _string(partial(raw.FPDFAnnot_GetFormFieldExportValue, formenv, note)) or value
    elif kind in {raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX}:
        value = _string(partial(raw.FPDFAnnot_GetFormFieldValue, formenv, note))
    else:
        value = ""
    if value:
        yield f"- {name}: {value}"


def _string(read: Callable[..., int]) -> str:
    """Return a string of PDFium, which is asked for its length first."""
    length = read(None, 0)
    if not 2 < length <= _LONGEST:
        return ""
    buffer = (ctypes.c_ushort * (length // 2 + 1))()
    read(buffer, length)
    return one_line(bytes(buffer)[: length - 2].decode("utf-16-le", errors="ignore"))
