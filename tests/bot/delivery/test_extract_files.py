"""Names and contents of the files that are offered for an answer."""

import csv
import re
import zipfile
from pathlib import Path
from typing import Literal

import pytest

from tgllm.bot.delivery import extract_files
from tgllm.bot.delivery.extract_files import Offer, offers_of, write_offer
from tgllm.bot.rendering.extracts import Code, Table

NASTY = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', "https://example.org"]


def names(markdown: str) -> list[str]:
    return [offer.name for offer in offers_of(markdown, 2, "answer.md")]


def block(info: str, first: str = "a") -> str:
    return f"```{info}\n{first}\nb\nc\n```\n"


@pytest.mark.parametrize(
    ("markdown", "name"),
    [
        (block("python"), "script.py"),
        (block("Rust"), "code.rs"),
        (block(""), "code.txt"),
        (block("klingon"), "code.txt"),
        (block("python app.py"), "app.py"),
        (block('js title="src/main.js"'), "main.js"),
        (block("python", "# tools/run.py"), "run.py"),
        (block("html", "<!-- index.html -->"), "index.html"),
        (block("python", "#!/usr/bin/env python3.11"), "script.py"),
        (block("sh", "# ../../etc/passwd.sh"), "passwd.sh"),
        (block("dockerfile"), "Dockerfile"),
        (block("python", "# 3.14 is pi"), "script.py"),
    ],
)
def test_names_of_code(markdown: str, name: str) -> None:
    assert names(markdown) == [name]


def test_names_are_different() -> None:
    table = "| a |\n|---|\n| 1 |\n\n"
    assert names(block("python") * 2 + table * 2) == [
        "script.py",
        "script-2.py",
        "table.csv",
        "table.xlsx",
        "table-2.csv",
        "table-2.xlsx",
    ]


def test_without_xlsx_writer_there_is_csv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract_files, "_has_xlsx_writer", lambda: False)
    assert names("| a |\n|---|\n| 1 |\n") == ["table.csv"]


def test_an_answer_of_several_messages_is_offered_as_a_whole() -> None:
    assert names("word " * 1000) == ["answer.md"]
    assert names("word " * 100) == []
    assert offers_of("word " * 1000, 0, "answer.md") == []


def test_nothing_in_a_csv_file_is_a_formula(tmp_path: Path) -> None:
    rows = [["a", "b"], *([cell, "-5"] for cell in NASTY), ["Ж", "1.5"]]
    write_offer(Offer("t.csv", "csv", Table(rows)), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.reader(file))
    assert (tmp_path / "t.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert [row[0] for row in read[1:7]] == [f"'{cell}" for cell in NASTY[:6]]
    assert {row[1] for row in read[1:8]} == {"-5"}
    assert read[8] == ["Ж", "1.5"]


def test_nothing_in_an_xlsx_file_is_a_formula_or_a_link(tmp_path: Path) -> None:
    rows = [["a", "b"], *([cell, "-5"] for cell in NASTY), ["007", "1.5"]]
    write_offer(Offer("t.xlsx", "xlsx", Table(rows)), tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "t.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        texts = book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert re.findall(r"<c r=\"B\d+\"><v>([^<]*)</v>", sheet) == ["-5"] * 7 + ["1.5"]
    assert "<t>=cmd|' /C calc'!A0</t>" in texts
    assert "<t>007</t>" in texts


def test_a_long_cell_of_an_xlsx_file_is_cut(tmp_path: Path) -> None:
    write_offer(Offer("t.xlsx", "xlsx", Table([["a"], ["x" * 40_000]])), tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "t.xlsx") as book:
        assert f"<t>{'x' * 32_767}</t>" in book.read("xl/sharedStrings.xml").decode()


@pytest.mark.parametrize("form", ["csv", "xlsx", "text"])
def test_what_can_not_be_written_is_an_error_of_the_system(
    tmp_path: Path, form: Literal["csv", "xlsx", "text"]
) -> None:
    content = "text" if form == "text" else Table([["a"], ["b"]])
    with pytest.raises(OSError, match=r"written|No such file"):
        write_offer(Offer("t", form, content), tmp_path / "missing" / "t")


def test_code_is_unchanged(tmp_path: Path) -> None:
    write_offer(Offer("a.py", "text", Code("a\n\tж\n", "")), tmp_path / "a.py")
    assert (tmp_path / "a.py").read_bytes() == "a\n\tж\n".encode()
