"""Spreadsheets as Markdown tables, and those that can't be read."""

import datetime as dt
import io
import types
from collections.abc import Callable
from typing import Any

import pytest
import python_calamine
import xlsxwriter

from made_files.zip_support import archive, claim_size, ole
from tgllm.api.files import ExtractionLimits
from tgllm.plugins.builtin.files import sheets

EXTRACT = sheets.extract
SMALL = ExtractionLimits(max_chars=100_000, seconds=60, memory_bytes=64 * 2**20)
DAY = dt.datetime.combine(dt.date(2026, 11, 30), dt.time())


def workbook(fill: Callable[[Any], None]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        fill(book)
    return out.getvalue()


def sheet(*rows: list[Any]) -> bytes:
    def fill(book: Any) -> None:
        page = book.add_worksheet("One")
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)

    return workbook(fill)


def table_of(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if "---" not in line]


class TestValues:
    def test_a_sheet_is_a_table(self, read: Any) -> None:
        found = read(sheet(["fruit", "price"], ["apple", 0.5], ["pear", 12]))

        assert found.text == "[sheet One]\n| fruit | price |\n| --- | --- |\n| apple | 0.5 |\n| pear | 12 |"
        assert (found.pages, found.truncated) == (1, False)

    @pytest.mark.parametrize(
        ("value", "number_format", "text"),
        [
            (0.155, "0.0%", "15.5%"),
            (0.07, "0%", "7%"),
            (0.25, "[Red]0.00%;-0.00%", "25%"),
            (5, '0" % of it"', "5"),
            (DAY, "yyyy-mm-dd", "2026-11-30"),
            (DAY + dt.timedelta(hours=14, minutes=30), "dd.mm.yyyy hh:mm", "2026-11-30 14:30"),
            (dt.time(9, 5), "hh:mm", "09:05"),
            (dt.timedelta(hours=30, minutes=5), "[h]:mm:ss", "30:05:00"),
            (0.1 + 0.2, "", "0.3"),
            (1e6, "", "1000000"),
            (-1234567.25, "", "-1234567.25"),
            (True, "", "TRUE"),
            (False, "", "FALSE"),
            ("a | b", "", "a \\| b"),
            ("two\nlines", "", "two lines"),
            ("  ", "", ""),
        ],
    )
    def test_values_are_as_a_person_reads_them(self, read: Any, value: Any, number_format: str, text: str) -> None:
        def fill(book: Any) -> None:
            page = book.add_worksheet()
            page.write_row(0, 0, ["name", "value"])
            page.write(1, 0, "it")
            page.write(1, 1, value, book.add_format({"num_format": number_format}) if number_format else None)

        assert table_of(read(workbook(fill)).text)[1:] == [["it", text]]

    def test_formulas_show_their_values_and_errors(self, read: Any) -> None:
        def fill(book: Any) -> None:
            page = book.add_worksheet()
            page.write_row(0, 0, ["sum", "error"])
            page.write_formula(1, 0, "=1+1", None, 2)
            page.write_formula(1, 1, "=1/0", None, "#DIV/0!")

        assert table_of(read(workbook(fill)).text) == [["sum", "error"], ["2", "#DIV/0!"]]

    def test_empty_rows_and_columns_are_left_out(self, read: Any) -> None:
        def fill(book: Any) -> None:
            page = book.add_worksheet()
            page.write_row(3, 2, ["a", "", "b"])
            page.write_row(6, 2, [1, "", 2])

        assert table_of(read(workbook(fill)).text) == [["a", "b"], ["1", "2"]]

    def test_a_value_that_is_merged_over_rows_holds_for_each(self, read: Any) -> None:
        def fill(book: Any) -> None:
            page = book.add_worksheet()
            page.merge_range("B2:C2", "both")
            page.merge_range("A3:A5", "north")
            page.write_column("B3", [1, 2, 3])

        assert [row[0] for row in table_of(read(workbook(fill)).text)] == ["", "north", "north", "north"]

    def test_hidden_sheets_are_marked_and_empty_ones_named(self, read: Any) -> None:
        def fill(book: Any) -> None:
            book.add_worksheet("Seen").write(0, 0, "x")
            hidden = book.add_worksheet("Salaries")
            hidden.write(0, 0, "y")
            hidden.hide()
            book.add_worksheet("Nothing")

        found = read(workbook(fill))

        assert "[sheet Salaries (hidden)]\n| y |" in found.text
        assert found.text.endswith("[sheet Nothing]\n(empty)")
        assert found.pages == 3

    def test_charts_are_no_sheets(self, read: Any) -> None:
        def fill(book: Any) -> None:
            book.add_worksheet("Data").write_column(0, 0, [1, 2, 3])
            chart = book.add_chart({"type": "line"})
            chart.add_series({"values": "=Data!$A$1:$A$3"})
            book.add_chartsheet("Chart").set_chart(chart)

        assert read(workbook(fill)).pages == 1


class TestLimits:
    def test_rows_are_cut_with_a_note(self, read: Any) -> None:
        content = sheet(["number", "word"], *([number, "word"] for number in range(5_000)))

        found = read(content, ExtractionLimits(max_chars=10_000, seconds=60, memory_bytes=2**30))

        assert found.truncated
        assert len(found.text) <= 10_000
        rows = len(table_of(found.text))
        assert found.text.endswith(f"(Rows shown: {rows:,} of 5,001.)")
        assert 300 < rows < 1_000

    def test_fifty_thousand_rows_are_read(self, read: Any) -> None:
        content = sheet(*([number, "word", number / 7] for number in range(50_000)))

        found = read(content, ExtractionLimits(max_chars=4_000_000, seconds=60, memory_bytes=2**30))

        assert len(table_of(found.text)) == 50_000
        assert not found.truncated

    def test_a_large_sheet_leaves_room_for_the_next(self, read: Any) -> None:
        def fill(book: Any) -> None:
            book.add_worksheet("Large").write_column(0, 0, ["word"] * 5_000)
            book.add_worksheet("Small").write(0, 0, "the total")

        found = read(workbook(fill), ExtractionLimits(max_chars=5_000, seconds=60, memory_bytes=2**30))

        assert "the total" in found.text
        assert found.truncated

    def test_a_bomb_is_refused_before_it_is_read(self, refused: Any) -> None:
        bomb = archive({"xl/workbook.xml": "<workbook/>", "xl/worksheets/sheet1.xml": bytes(20 * 2**20)})

        assert len(bomb) < 50_000
        assert refused(bomb, SMALL) == "file_too_large_to_read"

    def test_a_bomb_that_claims_to_be_small_is_refused(self, refused: Any) -> None:
        size = 5 * 2**20 + 12_345
        bomb = archive({"xl/workbook.xml": "<workbook/>", "xl/worksheets/sheet1.xml": bytes(size)})

        assert refused(claim_size(bomb, size, 1000)) == "file_too_large_to_read"

    def test_one_cell_far_away_is_refused(self, refused: Any) -> None:
        def fill(book: Any) -> None:
            page = book.add_worksheet()
            page.write(0, 0, "near")
            page.write(99_999, 16_383, "far")

        assert refused(workbook(fill), SMALL) == "file_too_large_to_read"


class TestUnreadable:
    def test_empty(self, refused: Any) -> None:
        assert refused(b"") == "file_empty"
        assert refused(sheet()) == "file_empty"

    @pytest.mark.parametrize(
        "content", [b"hello", b"PK\x03\x04", archive({"word/document.xml": "<x/>"}), ole("WordDocument")]
    )
    def test_of_another_kind(self, refused: Any, content: bytes) -> None:
        assert refused(content) == "file_broken"

    def test_cut(self, refused: Any) -> None:
        content = sheet(["a", "b"])

        assert refused(content[: len(content) // 2]) == "file_broken"

    def test_a_damaged_part(self, refused: Any) -> None:
        content = bytearray(sheet(*([f"row {number}", number] for number in range(1000))))
        at = content.index(b"xl/worksheets/sheet1.xml") + 60
        content[at : at + 400] = bytes(400)

        assert refused(bytes(content)) in {"file_broken", "file_too_large_to_read"}

    def test_a_password(self, refused: Any) -> None:
        assert refused(ole("EncryptionInfo", "EncryptedPackage")) == "file_password"

    def test_a_directory_that_points_before_the_file(self, refused: Any) -> None:
        content = bytearray(sheet(["a", "b"]))
        start = int.from_bytes(content[-6:-2], "little")
        content[-6:-2] = (start + 10_000).to_bytes(4, "little")

        assert refused(bytes(content)) == "file_broken"

    def test_a_failed_assertion_of_the_library(self, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        class PanicException(BaseException):
            pass

        def fail(path: object) -> None:
            raise PanicException

        monkeypatch.setattr(python_calamine, "CalamineWorkbook", types.SimpleNamespace(from_path=fail))

        assert refused(sheet(["a", "b"])) == "file_broken"

    @pytest.mark.parametrize(("at", "value"), [(30, 30), (32, 20), (44, 2**30), (64, 2**30), (72, 2**30)])
    def test_an_old_file_that_claims_more_than_it_has(self, refused: Any, at: int, value: int) -> None:
        header = bytearray(ole("Workbook"))
        header[30:34] = b"\x09\0\x06\0"
        header[at : at + 4] = value.to_bytes(4, "little")

        assert refused(bytes(header)) == "file_broken"
