"""EPUB books as Markdown, and those that can't be read."""

from typing import Any

import pytest

from made_files.zip_support import archive
from tgllm.api.files import ExtractionLimits
from tgllm.plugins.builtin.files import epub

EXTRACT = epub.extract
CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)
NAV = (
    '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body><nav epub:type="toc">'
    '<ol><li><a href="text/one.xhtml">The <i>first</i> day</a></li>'
    '<li><a href="text/two%20b.xhtml#x">Later</a></li></ol>'
    "</nav></body></html>"
)
NCX = (
    '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint>'
    "<navLabel><text>The first day</text></navLabel>"
    '<content src="text/one.xhtml"/></navPoint></navMap></ncx>'
)


def page(body: str, title: str = "Unknown") -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml">'
        f"<head><title>{title}</title></head><body>{body}</body></html>"
    )


def book(chapters: dict[str, str | bytes], extra_items: str = "", **more: str) -> bytes:
    items = "".join(
        f'<item id="c{number}" href="{name}" media-type="application/xhtml+xml"/>'
        for number, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="c{number}"/>' for number in range(len(chapters)))
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<metadata><dc:title>A Book</dc:title><dc:creator>Eve</dc:creator><dc:creator>Ann</dc:creator></metadata>"
        f'<manifest>{items}{extra_items}<item id="css" href="a.css" media-type="text/css"/></manifest>'
        f"<spine>{spine}</spine></package>"
    )
    return archive(
        {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER, "OEBPS/book.opf": opf}
        | {f"OEBPS/{name.replace('%20', ' ')}": content for name, content in chapters.items()}
        | more
    )


class TestText:
    def test_chapters_in_the_order_of_the_spine(self, read: Any) -> None:
        found = read(
            book(
                {
                    "text/z.xhtml": page("<h1>One</h1><p>It began.</p>"),
                    "text/a.xhtml": page("<h2>Two</h2><p>It ended.</p>"),
                }
            )
        )

        assert found.text == "Title: A Book\nAuthor: Eve, Ann\n\n# One\n\nIt began.\n\n## Two\n\nIt ended."
        assert not found.truncated

    @pytest.mark.parametrize(
        ("item", "name", "content"),
        [
            ('<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>', "nav.xhtml", NAV),
            ('<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>', "toc.ncx", NCX),
        ],
    )
    def test_the_table_of_contents_has_the_titles(self, read: Any, item: str, name: str, content: str) -> None:
        found = read(book({"text/one.xhtml": page("<p>It began.</p>")}, item, **{f"OEBPS/{name}": content}))

        assert found.text.endswith("\n\n# The first day\n\nIt began.")

    def test_names_with_spaces(self, read: Any) -> None:
        item = '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
        found = read(book({"text/two%20b.xhtml": page("<p>It ended.</p>")}, item, **{"OEBPS/nav.xhtml": NAV}))

        assert found.text.endswith("\n\n# Later\n\nIt ended.")

    def test_empty_elements_of_xhtml(self, read: Any) -> None:
        body = '<a id="x"/><p>One <span/>two.</p><div/><p>Three.</p>'

        assert read(book({"a.xhtml": f"<html><head><title/></head><body>{body}</body></html>"})).text.endswith(
            "\n\nOne two.\n\nThree."
        )

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1251"])
    def test_encodings(self, read: Any, encoding: str) -> None:
        declared = page("<p>Привет</p>").replace('"utf-8"', f'"{encoding}"')

        assert read(book({"a.xhtml": declared.encode(encoding)})).text.endswith("\n\nПривет")

    def test_hidden_fonts_are_no_protection(self, read: Any) -> None:
        fonts = (
            '<encryption><EncryptedData><EncryptionMethod Algorithm="http://www.idpf.org/2008/embedding"/>'
            "</EncryptedData></encryption>"
        )

        assert "Words" in read(book({"a.xhtml": page("<p>Words</p>")}, **{"META-INF/encryption.xml": fonts})).text

    def test_a_chapter_that_is_missing_is_skipped(self, read: Any) -> None:
        content = book({"a.xhtml": page("<p>Words</p>"), "b.xhtml": ""})

        assert read(content).text.endswith("Words")


class TestLimits:
    def test_long_books_are_cut(self, read: Any) -> None:
        chapters: dict[str, str | bytes] = {f"{number}.xhtml": page("<p>Many words.</p>" * 50) for number in range(50)}

        found = read(book(chapters), ExtractionLimits(max_chars=5_000, seconds=60, memory_bytes=2**30))

        assert found.truncated
        assert 4_000 < len(found.text) <= 5_000

    def test_a_bomb_is_refused(self, refused: Any) -> None:
        limits = ExtractionLimits(max_chars=100_000, seconds=60, memory_bytes=64 * 2**20)

        assert refused(book({"a.xhtml": page("a" * 20 * 2**20)}), limits) == "file_too_large_to_read"


class TestUnreadable:
    def test_empty(self, refused: Any) -> None:
        assert refused(b"") == "file_empty"
        assert refused(book({})) == "file_empty"
        assert refused(book({"a.xhtml": page("")})) == "file_empty"

    def test_only_pictures(self, refused: Any) -> None:
        assert refused(book({"a.xhtml": page('<img src="a.png"/>')})) == "file_no_text"

    @pytest.mark.parametrize(
        "content",
        [b"hello", archive({"word/document.xml": "<x/>"}), archive({"META-INF/container.xml": CONTAINER})],
    )
    def test_of_another_kind(self, refused: Any, content: bytes) -> None:
        assert refused(content) == "file_broken"

    def test_cut(self, refused: Any) -> None:
        content = book({"a.xhtml": page("<p>Words</p>")})

        assert refused(content[: len(content) // 2]) == "file_broken"

    def test_protected_against_copying(self, refused: Any) -> None:
        drm = (
            '<encryption><EncryptedData><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>'
            "</EncryptedData></encryption>"
        )

        assert refused(book({"a.xhtml": page("<p>Words</p>")}, **{"META-INF/encryption.xml": drm})) == "file_password"
