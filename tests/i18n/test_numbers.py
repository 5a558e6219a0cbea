"""Sizes of files in words."""

import pytest

from tgllm.api import FileUnreadable
from tgllm.i18n import Catalogue, error_text
from tgllm.i18n.numbers import size_text

TEXTS = Catalogue(strict=True)


@pytest.mark.parametrize(
    ("size", "english"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KB"),
        (1500, "1.5 KB"),
        (20 * 2**20, "20 MB"),
        (20 * 2**20 + 1, "21 MB"),
        (2000 * 2**20, "2 GB"),
    ],
)
def test_a_size_is_in_the_largest_unit_that_fits(size: int, english: str) -> None:
    assert size_text(TEXTS, size, "en") == english
    assert size_text(TEXTS, size, "ru") == english.translate(str.maketrans({"B": "Б", "K": "К", "M": "М", "G": "Г"}))


def test_an_error_with_a_limit_in_bytes_has_it_in_words() -> None:
    error = FileUnreadable("x", code="file_too_large", name="a.zip", limit_bytes=20 * 2**20)
    assert "files of up to 20 MB" in error_text(TEXTS, error, "en")
    assert "20 МБ" in error_text(TEXTS, error, "ru")
