"""Table of the readers of PDF, Office and book files, each of which is imported only in the process that reads."""

import importlib
from pathlib import Path

from tgllm.api.files import Extracted, ExtractionLimits, FileHandler

__all__ = ["HANDLERS", "read_docx", "read_epub", "read_odf", "read_pdf", "read_sheets", "read_slides"]

_READERS = "tgllm.plugins.builtin.files"
_PACKAGE = "tgllm[files]"


def _extract(module: str, path: Path, limits: ExtractionLimits) -> Extracted:
    extracted: Extracted = importlib.import_module(f"{_READERS}.{module}").extract(path, limits)
    return extracted


def read_docx(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a Word document."""
    return _extract("docx", path, limits)


def read_epub(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a book."""
    return _extract("epub", path, limits)


def read_odf(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read an OpenDocument file."""
    return _extract("odf", path, limits)


def read_pdf(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a PDF file."""
    return _extract("pdf", path, limits)


def read_sheets(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a spreadsheet."""
    return _extract("sheets", path, limits)


def read_slides(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a presentation."""
    return _extract("slides", path, limits)


HANDLERS = (
    FileHandler(
        id="docx",
        mime_types=frozenset(
            {
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.template",
                "application/vnd.ms-word.document.macroEnabled.12",
                "application/msword",
                "application/x-ole-storage",
                "application/encrypted",
            }
        ),
        extract=read_docx,
        needs=("lxml",),
        package=_PACKAGE,
        suffixes=frozenset({".docx", ".docm", ".dotx"}),
    ),
    FileHandler(
        id="epub",
        mime_types=frozenset({"application/epub+zip"}),
        extract=read_epub,
        needs=("lxml", "selectolax"),
        package=_PACKAGE,
        suffixes=frozenset({".epub"}),
    ),
    FileHandler(
        id="odf",
        mime_types=frozenset(
            {
                "application/vnd.oasis.opendocument.text",
                "application/vnd.oasis.opendocument.text-template",
                "application/vnd.oasis.opendocument.spreadsheet",
                "application/vnd.oasis.opendocument.spreadsheet-template",
                "application/vnd.oasis.opendocument.presentation",
                "application/vnd.oasis.opendocument.presentation-template",
            }
        ),
        extract=read_odf,
        needs=("lxml",),
        package=_PACKAGE,
        suffixes=frozenset({".odt", ".ott", ".ods", ".ots", ".odp", ".otp"}),
    ),
    FileHandler(
        id="pdf",
        mime_types=frozenset({"application/pdf"}),
        extract=read_pdf,
        needs=("pypdfium2", "PIL"),
        package=_PACKAGE,
        suffixes=frozenset({".pdf"}),
    ),
    FileHandler(
        id="sheets",
        mime_types=frozenset(
            {
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
                "application/vnd.ms-excel",
                "application/vnd.ms-excel.sheet.macroEnabled.12",
                "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
            }
        ),
        extract=read_sheets,
        needs=("python_calamine", "lxml"),
        package=_PACKAGE,
        suffixes=frozenset({".xlsx", ".xlsm", ".xltx", ".xls", ".xlsb"}),
    ),
    FileHandler(
        id="slides",
        mime_types=frozenset(
            {
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
                "application/vnd.openxmlformats-officedocument.presentationml.slideshow",
                "application/vnd.openxmlformats-officedocument.presentationml.template",
                "application/vnd.ms-powerpoint.presentation.macroEnabled.12",
                "application/vnd.ms-powerpoint",
            }
        ),
        extract=read_slides,
        needs=("lxml",),
        package=_PACKAGE,
        suffixes=frozenset({".pptx", ".pptm", ".ppsx", ".potx"}),
    ),
)
