"""Presentations by slide, and those that can't be read."""

import io
from collections.abc import Callable
from typing import Any

import pptx as maker
import pytest
from PIL import Image
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from made_files.zip_support import archive, ole
from tgllm.api.files import ExtractionLimits
from tgllm.plugins.builtin.files import slides

EXTRACT = slides.extract
BLANK = 6
TITLE_AND_CONTENT = 1
SMALL = ExtractionLimits(max_chars=100_000, seconds=60, memory_bytes=64 * 2**20)


def made(fill: Callable[[Any], None]) -> bytes:
    """A presentation of python-pptx."""
    presentation, out = maker.Presentation(), io.BytesIO()
    fill(presentation)
    presentation.save(out)
    return out.getvalue()


def slide(presentation: Any, layout: int = BLANK) -> Any:
    return presentation.slides.add_slide(presentation.slide_layouts[layout])


def box(shapes: Any, text: str) -> Any:
    shape = shapes.add_textbox(0, 0, Inches(1), Inches(1))
    shape.text_frame.text = text
    return shape


class TestText:
    def test_titles_bullets_and_notes(self, read: Any) -> None:
        def fill(presentation: Any) -> None:
            page = slide(presentation, TITLE_AND_CONTENT)
            page.shapes.title.text = "Plan"
            body = page.placeholders[1].text_frame
            body.text = "Build"
            for level, text in ((1, "walls"), (1, "roof"), (0, "Sell")):
                body.add_paragraph().text = text
                body.paragraphs[-1].level = level
            page.notes_slide.notes_text_frame.text = "Speak slowly."
            box(slide(presentation).shapes, "The end")

        found = read(made(fill))

        assert found.text == (
            "[slide 1]\n# Plan\n\n- Build\n  - walls\n  - roof\n- Sell\n\nNotes: Speak slowly.\n\n[slide 2]\nThe end"
        )
        assert (found.pages, found.without_text) == (2, 0)

    def test_the_title_comes_first(self, read: Any) -> None:
        def fill(presentation: Any) -> None:
            page = slide(presentation, TITLE_AND_CONTENT)
            page.shapes.title.text = "Last drawn"
            tree = page.shapes._spTree
            tree.append(page.shapes.title._element)
            page.placeholders[1].text_frame.text = "Content"

        assert read(made(fill)).text == "[slide 1]\n# Last drawn\n\nContent"

    def test_tables(self, read: Any) -> None:
        def fill(presentation: Any) -> None:
            table = slide(presentation).shapes.add_table(3, 2, 0, 0, Inches(3), Inches(2)).table
            for number, text in enumerate(["region", "sum", "north", "1", "", "2"]):
                table.cell(number // 2, number % 2).text = text
            table.cell(1, 0).merge(table.cell(2, 0))

        assert read(made(fill)).text == ("[slide 1]\n| region | sum |\n| --- | --- |\n| north | 1 |\n| north | 2 |")

    def test_groups_in_groups(self, read: Any) -> None:
        def fill(presentation: Any) -> None:
            outer = slide(presentation).shapes.add_group_shape()
            box(outer.shapes, "outer")
            box(outer.shapes.add_group_shape().shapes, "inner")

        assert read(made(fill)).text == "[slide 1]\nouter\n\ninner"

    def test_charts_are_tables(self, read: Any) -> None:
        def fill(presentation: Any) -> None:
            data = CategoryChartData()
            data.categories = ["Q1", "Q2", "Q3"]
            data.add_series("Sales", (1.5, None, 3))
            slide(presentation).shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, Inches(3), Inches(2), data)

        assert read(made(fill)).text == (
            "[slide 1]\nChart:\n|  | Sales |\n| --- | --- |\n| Q1 | 1.5 |\n| Q2 |  |\n| Q3 | 3 |"
        )

    def test_links(self, read: Any) -> None:
        def fill(presentation: Any) -> None:
            run = box(slide(presentation).shapes, "").text_frame.paragraphs[0].add_run()
            run.text = "our page"
            run.hyperlink.address = "https://example.org/"

        assert read(made(fill)).text == "[slide 1]\n[our page](https://example.org/)"

    def test_hidden_slides_are_marked(self, read: Any) -> None:
        def fill(presentation: Any) -> None:
            page = slide(presentation)
            box(page.shapes, "Not shown")
            page._element.set("show", "0")

        assert read(made(fill)).text == "[slide 1]\n(hidden)\n\nNot shown"

    def test_pictures_are_counted(self, read: Any) -> None:
        def fill(presentation: Any) -> None:
            box(slide(presentation).shapes, "Words")
            add_picture(slide(presentation))

        found = read(made(fill))

        assert found.text == "[slide 1]\nWords\n\n(Pictures in the presentation, which were not read: 1.)"
        assert (found.pages, found.without_text) == (2, 1)


class TestLimits:
    def test_long_presentations_are_cut(self, read: Any) -> None:
        def fill(presentation: Any) -> None:
            for number in range(100):
                box(slide(presentation).shapes, f"This is number {number} of many.")

        found = read(made(fill), ExtractionLimits(max_chars=1_000, seconds=60, memory_bytes=2**30))

        assert (found.truncated, found.pages) == (True, 100)
        assert 800 < len(found.text) <= 1_000

    def test_a_bomb_is_refused(self, refused: Any) -> None:
        bomb = archive({"ppt/presentation.xml": "<x/>", "ppt/slides/slide1.xml": bytes(20 * 2**20)})

        assert refused(bomb, SMALL) == "file_too_large_to_read"


class TestUnreadable:
    def test_empty(self, refused: Any) -> None:
        assert refused(b"") == "file_empty"
        assert refused(made(lambda presentation: None)) == "file_empty"
        assert refused(made(slide)) == "file_empty"

    def test_only_pictures(self, refused: Any) -> None:
        assert refused(made(lambda presentation: add_picture(slide(presentation)))) == "file_no_text"

    @pytest.mark.parametrize("content", [b"hello", archive({"word/document.xml": "<x/>"})])
    def test_of_another_kind(self, refused: Any, content: bytes) -> None:
        assert refused(content) == "file_broken"

    def test_cut(self, refused: Any) -> None:
        content = made(lambda presentation: box(slide(presentation).shapes, "Words"))

        assert refused(content[: len(content) // 2]) == "file_broken"

    def test_a_password_or_an_old_format(self, refused: Any) -> None:
        assert refused(ole("EncryptionInfo", "EncryptedPackage")) == "file_password"
        assert refused(ole("PowerPoint Document")) == "file_unreadable"


def add_picture(page: Any) -> None:
    out = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(out, "PNG")
    page.shapes.add_picture(out, 0, 0)
