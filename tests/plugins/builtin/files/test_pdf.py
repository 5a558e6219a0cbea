"""The text of PDF files by page, pictures of scanned pages, and files that can't be read."""

import io
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfWriter

from made_files import pdf_support as make
from tgllm.api.files import ExtractionLimits
from tgllm.plugins.builtin.files import pdf

EXTRACT = pdf.extract
WITH_PICTURES = ExtractionLimits(max_chars=100_000, seconds=60, memory_bytes=2**30, max_pictures=3)


class TestText:
    def test_every_page_has_its_mark(self, read: Any) -> None:
        found = read(make.pdf([make.lines("The first page."), make.lines("The second page.")]))

        assert found.text == "[page 1]\nThe first page.\n\n[page 2]\nThe second page."
        assert (found.pages, found.truncated, found.without_text) == (2, False, 0)

    def test_words_and_sentences_that_lines_cut_are_joined(self, read: Any) -> None:
        found = read(
            make.pdf(
                [
                    make.lines(
                        "The contract ends with notice, unless the par-",
                        "ties agree on other terms in the",
                        "course of the year.",
                        "Section two",
                    )
                ]
            )
        )

        assert found.text.splitlines()[1:] == [
            "The contract ends with notice, unless the parties agree on other terms in the course of the year.",
            "Section two",
        ]

    def test_rows_and_headings_stay_on_their_lines(self, read: Any) -> None:
        found = read(
            make.pdf(
                [make.lines("Prices", "apples 3.20", "pears 2.80", "a long line that only shows how wide it is here")]
            )
        )

        assert found.text.splitlines()[1:4] == ["Prices", "apples 3.20", "pears 2.80"]

    def test_text_outside_of_the_page_is_left_out(self, read: Any) -> None:
        found = read(make.pdf([make.lines("What is seen.") + make.lines("What is not.", top=-500)]))

        assert "What is seen." in found.text
        assert "What is not." not in found.text

    def test_a_line_of_the_page_is_no_mark(self, read: Any) -> None:
        found = read(make.pdf([make.lines("[page 7]", "Text.")]))

        assert found.text == "[page 1]\n\\[page 7]\nText."

    def test_ligatures_are_letters(self, read: Any) -> None:
        font = make.FONT[:-2] + b"/ToUnicode 100000 0 R>>"
        found = read(
            make.pdf(
                [make.lines("A B")],
                extra={3: font, 100000: to_unicode(b"2 beginbfchar <41><FB01> <42><00660069> endbfchar")},
            )
        )

        assert found.text == "[page 1]\nfi fi"

    def test_characters_beyond_16_bits_are_kept(self, read: Any) -> None:
        font = make.FONT[:-2] + b"/ToUnicode 100000 0 R>>"
        found = read(
            make.pdf([make.lines("A")], extra={3: font, 100000: to_unicode(b"1 beginbfchar <41><D83DDE00> endbfchar")})
        )

        assert found.text == "[page 1]\n\U0001f600"

    def test_a_font_without_characters_is_no_text(self, read: Any, refused: Any) -> None:
        font = make.FONT[:-2] + b"/ToUnicode 100000 0 R>>"
        content = make.pdf(
            [make.lines("Secret words")],
            extra={3: font, 100000: to_unicode(b"1 beginbfrange <20><7E><E020> endbfrange")},
        )

        assert refused(content) == "file_no_text"
        assert len(read(content, WITH_PICTURES).pictures) == 1


class TestBesideTheText:
    def test_title_and_outline_come_first(self, read: Any) -> None:
        outline = {
            100000: b"<</Type/Outlines/First 100001 0 R/Last 100002 0 R/Count 2>>",
            100001: b"<</Title(Start)/Parent 100000 0 R/Next 100002 0 R/Dest[10 0 R/Fit]>>",
            100002: b"<</Title(End)/Parent 100000 0 R/Dest[12 0 R/Fit]>>",
            100003: b"<</Title(Annual report)/Author(Eve)>>",
        }
        content = make.pdf(
            [make.lines("one"), make.lines("two")],
            catalogue=b"/Outlines 100000 0 R", extra=outline, trailer=b"/Info 100003 0 R",
        )  # fmt: skip

        assert read(content).text.startswith(
            "Title: Annual report\nAuthor: Eve\nContents:\n- Start (page 1)\n- End (page 2)\n\n[page 1]\none"
        )

    @pytest.mark.parametrize("title", ["untitled", "report.docx", "", "---"])
    def test_a_title_that_says_nothing_is_left_out(self, read: Any, title: str) -> None:
        info = {100000: f"<</Title({title})>>".encode()}

        assert read(make.pdf([make.lines("one")], extra=info, trailer=b"/Info 100000 0 R")).text == "[page 1]\none"

    def test_an_outline_that_refers_to_itself_ends(self, read: Any) -> None:
        outline = {
            100000: b"<</Type/Outlines/First 100001 0 R/Last 100001 0 R/Count 1>>",
            100001: b"<</Title(Start)/Parent 100000 0 R/Next 100002 0 R/First 100001 0 R>>",
            100002: b"<</Title(End)/Parent 100000 0 R/Next 100001 0 R>>",
        }

        found = read(make.pdf([make.lines("one")], catalogue=b"/Outlines 100000 0 R", extra=outline))

        assert found.text.count("- Start") == 1

    def test_fields_of_forms_are_read(self, read: Any) -> None:
        fields = {
            100000: b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Eve Young)/Rect[72 600 300 620]/P 10 0 R>>",
            100001: b"<</Type/Annot/Subtype/Widget/FT/Btn/T(member)/V/Yes/AS/Yes/Rect[72 500 90 520]/P 10 0 R"
            b"/AP<</N<</Yes 100002 0 R/Off 100002 0 R>>>>>>",
            100002: make.stream(b"", b"/Type/XObject/Subtype/Form/BBox[0 0 10 10]"),
            100003: b"<</Type/Annot/Subtype/Widget/FT/Tx/T(empty)/Rect[72 400 300 420]/P 10 0 R>>",
        }
        content = make.pdf(
            [make.lines("Form")],
            catalogue=b"/AcroForm<</Fields[100000 0 R 100001 0 R 100003 0 R]/DR<</Font<</F1 3 0 R>>>>/DA(/F1 10 Tf)>>",
            extra=fields,
            page_entries=b"/Annots[100000 0 R 100001 0 R 100003 0 R]",
        )

        assert read(content).text == "[page 1]\nForm\n\nForm fields:\n- name: Eve Young\n- member: yes"

    def test_comments_are_read(self, read: Any) -> None:
        note = {100000: b"<</Type/Annot/Subtype/Text/Contents(Check this number)/Rect[72 600 90 620]>>"}

        found = read(make.pdf([make.lines("42")], extra=note, page_entries=b"/Annots[100000 0 R]"))

        assert found.text == "[page 1]\n42\n\nComments:\n- Check this number"

    def test_attached_files_are_named(self, read: Any) -> None:
        files = {
            100000: b"<</Names[(data.csv) 100001 0 R]>>",
            100001: b"<</Type/Filespec/F(data.csv)/UF(data.csv)/EF<</F 100002 0 R>>>>",
            100002: make.stream(b"1,2", b"/Type/EmbeddedFile"),
        }

        found = read(make.pdf([make.lines("one")], catalogue=b"/Names<</EmbeddedFiles 100000 0 R>>", extra=files))

        assert found.text.startswith("Files inside, which were not read: data.csv\n")


class TestScanned:
    def test_pages_become_pictures(self, read: Any) -> None:
        found = read(
            make.pdf([make.picture(), make.lines("Words on this page, and more."), make.picture()]), WITH_PICTURES
        )

        assert found.without_text == 2
        assert [picture.page for picture in found.pictures] == [1, 3]
        assert {Image.open(io.BytesIO(picture.content)).size for picture in found.pictures} == {(1240, 1755)}
        assert found.text == "[page 2]\nWords on this page, and more."

    def test_no_more_pictures_than_wanted(self, read: Any) -> None:
        found = read(make.pdf([make.picture()] * 5), WITH_PICTURES)

        assert (len(found.pictures), found.without_text, found.pages) == (3, 5, 5)

    def test_without_text_and_pictures_there_is_nothing(self, refused: Any) -> None:
        assert refused(make.pdf([make.picture()])) == "file_no_text"

    def test_a_stamp_on_a_scan_is_not_its_text(self, read: Any) -> None:
        found = read(make.pdf([make.picture() + make.lines("Scanned by an app")]), WITH_PICTURES)

        assert (found.without_text, len(found.pictures)) == (1, 1)
        assert "Scanned by an app" in found.text

    def test_a_blank_page_is_no_scan(self, read: Any, refused: Any) -> None:
        found = read(make.pdf([make.lines("Words."), b""]), WITH_PICTURES)

        assert (found.without_text, found.pictures) == (0, ())
        assert refused(make.pdf([b"", b""])) == "file_empty"

    @pytest.mark.parametrize("box", [(0, 0, 30_000, 30_000), (0, 0, 14_400, 3), (0, 0, 2_000_000, 400)])
    def test_the_picture_of_a_huge_page_is_small(self, read: Any, box: tuple[int, int, int, int]) -> None:
        found = read(make.pdf([make.picture(*box[2:])], box=box), WITH_PICTURES)

        width, height = Image.open(io.BytesIO(found.pictures[0].content)).size
        assert width * height <= 4_100_000
        assert max(width, height) <= 4_000


class TestLimits:
    def test_ten_thousand_pages_stop_at_the_limit(self, read: Any) -> None:
        content = make.pdf([make.lines("This is a page of a very long document.")] * 10_000)

        found = read(content, ExtractionLimits(max_chars=5_000, seconds=60, memory_bytes=2**30))

        assert (found.pages, found.truncated) == (10_000, True)
        assert 4_000 < len(found.text) <= 5_000
        assert "[page 90]" in found.text

    def test_a_document_that_fits_exactly_is_whole(self, read: Any) -> None:
        content = make.pdf([make.lines("abc def")])

        assert not read(content, ExtractionLimits(max_chars=16, seconds=60, memory_bytes=2**30)).truncated
        assert read(content, ExtractionLimits(max_chars=15, seconds=60, memory_bytes=2**30)).truncated

    def test_pages_that_are_not_there_are_not_looked_for_forever(self, refused: Any) -> None:
        pages = b" ".join([b"2 0 R"] * 1000)
        loop = make.document(
            {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[%s]/Count 2147483647>>" % pages}
        )

        assert refused(loop) == "file_broken"


class TestUnreadable:
    def test_empty(self, refused: Any) -> None:
        assert refused(b"") == "file_empty"

    @pytest.mark.parametrize(
        "content", [b"hello", b"%PDF-1.7\n", b"PK\x03\x04" + bytes(100), b"%PDF-1.7\n" + bytes(5000)]
    )
    def test_of_another_kind(self, refused: Any, content: bytes) -> None:
        assert refused(content) == "file_broken"

    def test_cut(self, refused: Any) -> None:
        content = make.pdf([make.lines("one"), make.lines("two")])

        assert refused(content[: len(content) // 3]) == "file_broken"

    def test_a_damaged_table_is_rebuilt(self, read: Any) -> None:
        content = make.pdf([make.lines("one")]).replace(b"xref\n0", b"xref\n9")

        assert read(content).text == "[page 1]\none"

    def test_a_page_that_is_damaged_is_skipped(self, read: Any) -> None:
        content = make.pdf([make.lines("one"), make.lines("two"), make.lines("three")])

        found = read(content.replace(b"12 0 obj\n<</Type/Page", b"12 0 obj\n<</Typo/Page"))

        assert "one" in found.text
        assert "three" in found.text

    def test_a_loop_of_pages(self, refused: Any) -> None:
        loop = {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 5>>"}

        assert refused(make.document(loop)) == "file_broken"

    @pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
    def test_a_password(self, refused: Any, algorithm: str) -> None:
        assert refused(encrypted("secret", algorithm)) == "file_password"

    def test_a_password_against_changes_only(self, read: Any) -> None:
        assert read(encrypted("", "AES-256")).text == "[page 1]\none"


def to_unicode(table: bytes) -> bytes:
    """The characters of a font."""
    begin = b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00><FF> endcodespacerange "
    return make.stream(begin + table + b" endcmap end")


def encrypted(password: str, algorithm: str) -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(make.pdf([make.lines("one")])))
    writer.encrypt(password, owner_password="owner", algorithm=algorithm)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
