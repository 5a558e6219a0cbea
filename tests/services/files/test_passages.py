"""Texts are cut into passages at their own boundaries; the passages joined are the text."""

import random

import pytest

from tgllm.db.tables.passages import Passage
from tgllm.services.files import passages
from tgllm.services.files.passages import MOST, cut_passages

SENTENCE = "The quick brown fox jumps over the lazy dog and runs away. "
PARAGRAPH = SENTENCE * 6


def joined(cut: list[Passage]) -> str:
    return "".join(passage.text for passage in cut)


def weight(text: str) -> int:
    return passages._weight(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "a",
        "a" * 30_000,
        " " * 30_000,
        "\n" * 30_000,
        PARAGRAPH * 50,
        f"{PARAGRAPH}\n\n" * 50,
        "合同的终止期限是三十天，" * 3_000,
        "ราคาสินค้า" * 3_000,
        "| a | b |\n|---|---|\n" + "| 1 | x |\n" * 3_000,
        "```py\n" + "x = 1\n" * 3_000 + "```\n",
        "[page 1]\n" * 3_000,
        "# a\n" * 3_000,
        "```\n" * 3_001,
        "|" * 20_000,
        "  \r\n\t\n x" * 3_000,
        "👩‍👩‍👧" * 5_000,
        "a\0b\r" * 5_000,
    ],
)
def test_nothing_is_lost_and_nothing_is_too_long(text: str) -> None:
    cut = cut_passages(text)
    assert joined(cut) == text
    assert all(0 < weight(passage.text) <= MOST for passage in cut)
    assert len(cut) <= weight(text) / passages.LEAST * 1.5 + 1


def test_nothing_is_lost_of_any_text() -> None:
    chance = random.Random(7)
    pieces = [
        "[page 3]\n",
        "[sheet A]\n",
        "# T\n",
        "```\n",
        "| a |\n",
        "|---|\n",
        "\n",
        " ",
        "word. ",
        "字",
        "x" * 700,
        "Chapter 4\n",
    ]
    for _ in range(200):
        text = "".join(chance.choices(pieces, k=chance.randrange(200)))
        cut = cut_passages(text)
        assert joined(cut) == text
        assert all(passage.text and weight(passage.text) <= MOST for passage in cut)


def test_pages_begin_passages_and_each_passage_knows_its_pages() -> None:
    text = "".join(f"[page {page}]\n{SENTENCE * 12}\n" for page in range(1, 9))
    cut = cut_passages(text)
    assert [(passage.part_from, passage.part_to) for passage in cut] == [
        (f"page {p}", f"page {p}") for p in range(1, 9)
    ]
    assert all(passage.text.startswith("[page ") for passage in cut)


def test_short_pages_share_a_passage() -> None:
    (passage,) = cut_passages("[page 1]\nHello.\n[page 2]\nWorld.\n")
    assert (passage.part_from, passage.part_to) == ("page 1", "page 2")


def test_what_precedes_the_first_page_does_not_hide_its_number() -> None:
    (passage,) = cut_passages("Title: Tea\n\n[page 1]\nHello.\n[page 2]\nWorld.\n")
    assert (passage.part_from, passage.part_to) == ("page 1", "page 2")


def test_sheets_and_files_begin_passages() -> None:
    text = "".join(f"[sheet {name}]\n{SENTENCE * 4}\n" for name in ("One", "Two")) + f"[file a.txt]\n{SENTENCE}\n"
    assert [passage.part_from for passage in cut_passages(text)] == ["sheet One", "sheet Two", "file a.txt"]


def test_pages_of_a_file_in_an_archive_name_both() -> None:
    cut = cut_passages(
        f"[file a.pdf]\n[page 1]\n{PARAGRAPH}{PARAGRAPH}{PARAGRAPH}\n[page 2]\n{PARAGRAPH}\n[file b.txt]\n{PARAGRAPH}"
    )
    assert cut[-2].part_to == "file a.pdf, page 2"
    assert cut[-1].part_from == "file b.txt"


def test_paragraphs_are_kept_together() -> None:
    text = f"{SENTENCE * 5}\n\n" * 40
    assert all(passage.text.endswith("\n\n") for passage in cut_passages(text))


@pytest.mark.parametrize(("sentence", "end"), [(SENTENCE, ". "), ("这是一个很长的句子没有空格。", "。")])
def test_a_paragraph_that_is_too_long_is_cut_after_sentences(sentence: str, end: str) -> None:
    cut = cut_passages(sentence * 300)
    assert len(cut) > 3
    assert all(passage.text.endswith(end) for passage in cut)


def test_headings_are_known() -> None:
    oaks = f"{PARAGRAPH}\n\n" * 3
    text = f"# Trees\n\n{PARAGRAPH}\n\n## Oaks\n\n{oaks}Chapter 2: Birds\n\n{PARAGRAPH}"
    cut = cut_passages(text)
    assert "Trees" in cut[0].headings
    assert any(passage.heading == "Trees > Oaks" for passage in cut)
    assert any("Chapter 2: Birds" in passage.headings.split("\n") for passage in cut)


def test_a_table_repeats_its_header_and_counts_its_rows() -> None:
    rows = "".join(f"| {number} | article {number} |\n" for number in range(2, 400))
    cut = cut_passages(f"[sheet A]\n| no | name |\n|---|---|\n{rows}\nafter the table\n")
    assert (cut[0].opening, cut[0].row_from) == ("", 1)
    for passage in cut[1:-1]:
        assert passage.opening == "| no | name |\n|---|---|\n"
        assert f"| {passage.row_from} | article {passage.row_from} |\n" in passage.text
        assert f"| {passage.row_to} | article {passage.row_to} |\n" in passage.text
    assert cut[-1].row_to == 399


def test_a_header_that_is_too_long_is_not_repeated() -> None:
    header = "| " + " | ".join(f"column {number}" for number in range(200)) + " |\n"
    cut = cut_passages(header + "|" + "---|" * 200 + "\n" + "| 1 | 2 |\n" * 500)
    assert all(not passage.opening for passage in cut)


def test_a_fence_is_closed_and_opened_again() -> None:
    code = "".join(f"value_{number} = {number}\n" for number in range(300))
    cut = cut_passages(f"```python\n{code}```\nafter\n")
    assert cut[0].closing == "```"
    assert all((passage.opening, passage.closing) == ("```python\n", "```") for passage in cut[1:-1])
    assert cut[-1].closing == ""
    assert all(f"value_{passage.line_from - 1} = " in passage.text for passage in cut[1:-1])


def test_half_of_a_fence_does_not_swallow_the_pages_after_it() -> None:
    cut = cut_passages("[page 1]\n```\n" + "".join(f"[page {page}]\n{SENTENCE * 14}\n" for page in range(2, 6)))
    assert [passage.part_to for passage in cut][-1] == "page 5"
    assert cut[-1].opening == ""
