"""The files of the benchmark of reading are what it says, and are read."""

from pathlib import Path

import pytest
from benchmarks.reading import samples

from tgllm.api import ExtractionLimits
from tgllm.plugins.builtin.files import docx, pdf
from tgllm.services.reading import pictures
from tgllm.services.reading.values import PictureLimits

LIMITS = ExtractionLimits(max_chars=4_000_000, seconds=60.0, memory_bytes=2**30)


def test_a_pdf_of_a_hundred_pages(tmp_path: Path) -> None:
    samples.make_pdf(tmp_path / "a")
    extracted = pdf.extract(tmp_path / "a", LIMITS)
    assert extracted.pages == 100
    assert 300_000 < len(extracted.text) < 500_000


def test_a_word_document_of_five_megabytes(tmp_path: Path) -> None:
    samples.make_docx(tmp_path / "a")
    assert 4 * 2**20 < (tmp_path / "a").stat().st_size < 6 * 2**20
    assert docx.extract(tmp_path / "a", LIMITS).text.count("\n\n") > 4_000


@pytest.mark.parametrize("mime_type", ["image/jpeg"])
def test_a_photo_of_twelve_megapixels(tmp_path: Path, mime_type: str) -> None:
    samples.make_photo(tmp_path / "a")
    limits = PictureLimits()
    given = {"max_side": limits.max_side, "max_bytes": limits.max_bytes, "most_pixels": limits.most_pixels}
    made = pictures.prepare(tmp_path / "a", tmp_path / "b", given | {"mime_types": [mime_type]})
    assert (made["changed"], made["width"], made["height"]) == (True, 1536, 2048)
