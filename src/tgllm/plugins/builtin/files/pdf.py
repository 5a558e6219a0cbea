"""Reader of PDF files: text by page, and pictures of pages without text."""

import contextlib
import io
import logging
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits, PagePicture
from tgllm.plugins.builtin.files.formats.pdf_notes import notes_of_page, overview
from tgllm.plugins.builtin.files.formats.pdf_text import is_readable, readable
from tgllm.plugins.builtin.files.shared.building import TextBuilder

__all__ = ["extract"]

_WRONG_PASSWORD: Final = 4  # FPDF_ERR_PASSWORD
_UNKNOWN_SECURITY: Final = 5  # FPDF_ERR_SECURITY
_MOST_BROKEN_PAGES: Final = 100
"""Pages in a row that can't be loaded, after which the rest is given up: their number may be made up."""
_FEW_CHARS: Final = 40
"""A page with less text and a large picture is a scanned one with a stamp."""
_LARGE_PICTURE: Final = 0.5
_DPI: Final = 150
_MOST_PIXELS: Final = 4_000_000
_LONGEST_SIDE: Final = 4_000
_QUALITY: Final = 80


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a PDF file.

    Raises:
        FileUnreadable: it is empty, damaged or protected by a password, or it has no text and no pictures are wanted.
    """
    if path.stat().st_size == 0:
        raise FileUnreadable("The PDF is empty", code="file_empty")
    # The library logs what it skips.
    logging.getLogger("pypdfium2").setLevel(logging.CRITICAL)
    pdfium: Any = import_module("pypdfium2")
    try:
        pdf = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if error.err_code in {_WRONG_PASSWORD, _UNKNOWN_SECURITY}:
            raise FileUnreadable("The PDF needs a password", code="file_password") from error
        raise FileUnreadable("The PDF is damaged", code="file_broken") from error
    with pdf:
        return _Reading(pdf, pdfium, limits).result()


class _Reading:
    """Reading of one document."""

    def __init__(self, pdf: Any, pdfium: Any, limits: ExtractionLimits) -> None:  # noqa: ANN401  no types
        self._pdf = pdf
        self._pdfium = pdfium
        self._limits = limits
        self._text = TextBuilder(limits)
        self._pictures: list[PagePicture] = []
        self._without_text = 0
        self._with_text = 0
        self._loaded = 0

    def result(self) -> Extracted:
        """Read until all is read or a limit is reached."""
        with contextlib.suppress(self._pdfium.PdfiumError):
            self._pdf.init_forms()
        count = len(self._pdf)
        with contextlib.suppress(self._pdfium.PdfiumError):
            self._text.add(overview(self._pdf))
        for number, page in self._pages(count):
            self._page(number, page)
        if not self._loaded:
            raise FileUnreadable("The PDF has no page that can be read", code="file_broken")
        if not self._with_text and not self._pictures:
            if not self._without_text:
                raise FileUnreadable("All pages of the PDF are blank", code="file_empty")
            raise FileUnreadable("The PDF has no text", code="file_no_text", pages=count)
        return Extracted(
            text=self._text.text,
            truncated=self._text.truncated,
            pages=count,
            pictures=tuple(self._pictures),
            without_text=self._without_text,
        )

    def _pages(self, count: int) -> Iterator[tuple[int, Any]]:
        """Yield the pages that can be loaded, with their numbers from 1."""
        broken = 0
        for index in range(count):
            if (index and self._text.full) or broken > _MOST_BROKEN_PAGES:
                return
            try:
                page = self._pdf[index]
            except self._pdfium.PdfiumError:
                broken += 1
                continue
            broken = 0
            self._loaded += 1
            try:
                yield index + 1, page
            finally:
                page.close()

    def _page(self, number: int, page: Any) -> None:  # noqa: ANN401  pypdfium2 has no types
        raw = self._raw_text(page)
        text = readable(raw) if is_readable(raw) else ""
        with contextlib.suppress(self._pdfium.PdfiumError):
            text = "\n\n".join(filter(None, (text, notes_of_page(page, self._pdf.formenv))))
        if len(text) < _FEW_CHARS and (self._has_large_picture(page) if text else self._has_content(page)):
            self._without_text += 1
            self._draw(number, page)
        if text:
            self._with_text += 1
            self._text.mark("page", number)
            self._text.add(text, after_mark=True)

    def _raw_text(self, page: Any) -> str:  # noqa: ANN401  pypdfium2 has no types
        """Return the text of a page as PDFium has it; that outside of the page is not visible and left out.

        The text within the bounds of the page lacks some line ends, and the whole text characters beyond 16 bits, so
        the whole text is returned if it is the same otherwise.
        """
        try:
            textpage = page.get_textpage()
        except self._pdfium.PdfiumError:
            return ""
        try:
            visible, whole = str(textpage.get_text_bounded()), str(textpage.get_text_range())
            same = "".join(visible.split()).replace("\x02", "\ufffe") == "".join(whole.split())
            return whole if same else visible
        finally:
            textpage.close()

    def _has_content(self, page: Any) -> bool:  # noqa: ANN401  pypdfium2 has no types
        """Return whether anything is drawn on a page, fields of a form included."""
        if self._pdfium.raw.FPDFPage_GetAnnotCount(page):
            return True
        return any(True for _ in page.get_objects(max_depth=1))

    def _has_large_picture(self, page: Any) -> bool:  # noqa: ANN401  pypdfium2 has no types
        area = page.get_width() * page.get_height()
        for picture in page.get_objects(filter=[self._pdfium.raw.FPDF_PAGEOBJ_IMAGE], max_depth=3):
            left, bottom, right, top = picture.get_bounds()
            if (right - left) * (top - bottom) >= area * _LARGE_PICTURE:
                return True
        return False

    def _draw(self, number: int, page: Any) -> None:  # noqa: ANN401  pypdfium2 has no types
        """Add a picture of a page, if more are wanted."""
        if len(self._pictures) >= self._limits.max_pictures:
            return
        width, height = page.get_width(), page.get_height()
        if not (width >= 1 and height >= 1):
            return
        scale = min(_DPI / 72, (_MOST_PIXELS / (width * height)) ** 0.5, _LONGEST_SIDE / max(width, height))
        try:
            bitmap = page.render(scale=scale, prefer_bgrx=True)
        except self._pdfium.PdfiumError:
            return
        content = io.BytesIO()
        bitmap.to_pil().convert("RGB").save(content, "JPEG", quality=_QUALITY)
        self._pictures.append(PagePicture(number, content.getvalue()))
