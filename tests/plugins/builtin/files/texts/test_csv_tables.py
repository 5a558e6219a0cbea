"""Tables of CSV and TSV files."""

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler_support import read
from tgllm.api.errors import FileUnreadable
from tgllm.plugins.builtin.files.texts import csv_tables

ROWS = [["name", "amount"], ["Ann", "1,5"], ["Bob; jr", "2,5"]]
TABLE = "| name | amount |\n| --- | --- |\n| Ann | 1,5 |\n| Bob; jr | 2,5 |"


def written(rows: list[list[str]], **options: object) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, **options).writerows(rows)  # type: ignore[arg-type]  options by name
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_the_delimiter_is_found(delimiter: str, quoting: int) -> None:
    assert read(csv_tables, written(ROWS, delimiter=delimiter, quoting=quoting)).text == TABLE


CASES = {
    "excel's line": ("sep=;\r\na;b\r\n1,5;2\r\n", [["a", "b"], ["1,5", "2"]]),
    "decimal commas": ("a;b\n1,5;2,5\n3,5;4,5\n", [["a", "b"], ["1,5", "2,5"], ["3,5", "4,5"]]),
    "decimal commas in two columns": ("1,5;2,5\n3,5;4,5\n", [["1,5", "2,5"], ["3,5", "4,5"]]),
    "commas in words": ("a;b\nx, y;z\nq;r\n", [["a", "b"], ["x, y", "z"], ["q", "r"]]),
    "quotes in quotes": ('a,b\n"say ""hi""",2\n', [["a", "b"], ['say "hi"', "2"]]),
    "single quotes": ("'a,b','c'\n'1','2'\n", [["a,b", "c"], ["1", "2"]]),
    "lines in a cell": ('a,b\n"1\n2",3\n', [["a", "b"], ["1 2", "3"]]),
    "a quote that is never closed": ('a,b\n1,"open\n2,3\n4,5\n', [["a", "b"], ["1", '"open'], ["2", "3"], ["4", "5"]]),
    "an inch": ('a,b\n5" pipe,2\n3,4\n', [["a", "b"], ['5" pipe', "2"], ["3", "4"]]),
    "formulas": ("=1+1,@SUM(A1)\n+2,-3\n", [["=1+1", "@SUM(A1)"], ["+2", "-3"]]),
    "bars": ("a,b\nx|y,2\n", [["a", "b"], ["x\\|y", "2"]]),
    "short and long rows": ("a,b\n1\n1,2,3\n", [["a", "b", ""], ["1", "", ""], ["1", "2", "3"]]),
    "empty rows": ("a,b\n\n,\n1,2\n", [["a", "b"], ["1", "2"]]),
    "a title above": ("Report\n\na,b\n1,2\n4,5\n", [["Report", ""], ["a", "b"], ["1", "2"], ["4", "5"]]),
}  # fmt: skip


@pytest.mark.parametrize(("content", "rows"), CASES.values(), ids=CASES)
def test_cells_are_told_apart(content: str, rows: list[list[str]]) -> None:
    assert cells(read(csv_tables, content).text) == rows


def cells(markdown: str) -> list[list[str]]:
    lines = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in markdown.split("\n")]
    return [[cell.strip() for cell in line] for number, line in enumerate(lines) if number != 1]


def test_a_tab_separates_in_a_tsv_whatever_else_is_there() -> None:
    assert read(csv_tables, "a, b\tc\n1, 2\t3\n", ".tsv").text == "| a, b | c |\n| --- | --- |\n| 1, 2 | 3 |"


def test_one_column_is_a_list_of_lines() -> None:
    assert read(csv_tables, "one\ntwo\n").text == "one\ntwo"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251", "koi8-r"])
def test_other_encodings_are_read(encoding: str) -> None:
    found = read(csv_tables, "имя;город\nИван;Москва\n".encode(encoding))

    assert found.text == "| имя | город |\n| --- | --- |\n| Иван | Москва |"
    assert bool(found.encoding) is (encoding in {"cp1251", "koi8-r"})


def test_a_long_table_is_cut_between_rows_and_says_how_many_there_are() -> None:
    found = read(csv_tables, written([["n", "square"], *([str(n), str(n * n)] for n in range(12_345))]), max_chars=2000)

    table, _, note = found.text.partition("\n\n")
    lines = table.split("\n")
    shown = len(lines) - 2
    assert found.truncated
    assert lines[-1] == f"| {shown - 1} | {(shown - 1) ** 2} |"
    assert note == f"(Cut. Rows shown: {shown:,} of 12,345.)"


def test_a_table_that_fits_is_not_called_cut() -> None:
    found = read(csv_tables, written([["n", "m"]] * 10))

    assert not found.truncated
    assert "Cut" not in found.text


@given(st.binary(min_size=1, max_size=300), st.integers(1, 400))
def test_any_content_is_read_within_the_limits(content: bytes, most: int) -> None:
    with contextlib.suppress(FileUnreadable):
        read(csv_tables, content, max_chars=most)
