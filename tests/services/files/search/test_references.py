"""Parts of a file that questions name, in many forms and languages."""

import pytest

from tgllm.services.files.search.references import LAST, Reference, references_in


@pytest.mark.parametrize(
    ("question", "unit", "first", "last"),
    [
        ("page 37", "page", "37", ""),
        ("What does p. 37 say?", "page", "37", ""),
        ("p37", "page", "37", ""),
        ("pp. 12-15", "page", "12", "15"),
        ("pages 12–15", "page", "12", "15"),
        ("pages 12 to 15", "page", "12", "15"),
        ("page no. 12", "page", "12", ""),
        ("the 37th page", "page", "37", ""),
        ("page one", "page", "1", ""),
        ("the second page", "page", "2", ""),
        ("the last page", "page", LAST, ""),
        ("Seite 5", "page", "5", ""),
        ("auf den Seiten 5 bis 7", "page", "5", "7"),
        ("dritte Seite", "page", "3", ""),
        ("на странице 40", "page", "40", ""),
        ("стр. 12-15", "page", "12", "15"),
        ("страницы с 12 по 15", "page", "12", "15"),
        ("37-я страница", "page", "37", ""),
        ("последняя страница", "page", LAST, ""),
        ("сторінка 4", "page", "4", ""),
        ("la page 12", "page", "12", ""),
        ("la página 12", "page", "12", ""),
        ("pagina 12", "page", "12", ""),
        ("strona 12", "page", "12", ""),
        ("第37页", "page", "37", ""),
        ("第三十七页", "page", "37", ""),
        ("37ページ", "page", "37", ""),
        ("12~15ページ", "page", "12", "15"),
        ("37페이지", "page", "37", ""),
        ("หน้า 37", "page", "37", ""),
        ("slide 3", "slide", "3", ""),
        ("слайд 3", "slide", "3", ""),
        ("Folie 3", "slide", "3", ""),
        ("sheet 2", "sheet", "2", ""),
        ("the last sheet", "sheet", LAST, ""),
        ("row 1200", "row", "1200", ""),
        ("строка 1200", "row", "1200", ""),
        ("rows 10-20", "row", "10", "20"),
        ("line 340", "line", "340", ""),
        ("chapter 4", "chapter", "4", ""),
        ("Chapter IV", "chapter", "4", ""),
        ("chapter four", "chapter", "4", ""),
        ("глава 4", "chapter", "4", ""),
        ("четвёртая глава", "chapter", "4", ""),
        ("Kapitel 12", "chapter", "12", ""),
        ("第四章", "chapter", "4", ""),
        ("section 4.2", "section", "4.2", ""),
        ("§ 12", "section", "12", ""),
        ("статья 15", "article", "15", ""),
        ("what happens at the end?", "text", LAST, ""),
        ("чем всё закончилось?", "text", LAST, ""),
    ],
)
def test_a_part_is_recognised(question: str, unit: str, first: str, last: str) -> None:
    assert Reference(unit, first, last) in references_in(question)


@pytest.mark.parametrize(
    "question",
    [
        "How many pages are there?",
        "1200 rows of data",
        "in 2024",
        "what's in row c",
        "Who won?",
        "",
        "the page",
        "sheets of paper",
        "part of it",
    ],
)
def test_other_questions_name_none(question: str) -> None:
    assert references_in(question) == []


def test_several_parts_are_recognised_in_order() -> None:
    assert references_in("Compare pages 3, 5 and 7-9 with chapter 2") == [
        Reference("page", "3"),
        Reference("page", "5"),
        Reference("page", "7", "9"),
        Reference("chapter", "2"),
    ]


@pytest.mark.parametrize(
    ("question", "earlier", "found"),
    [
        ("and the next chapter?", ["what is in chapter 4?"], Reference("chapter", "5")),
        ("the next page", ["pages 4-6"], Reference("page", "7")),
        ("previous page", ["pages 4-6"], Reference("page", "3")),
        ("and the next one?", ["page 4", "next page"], Reference("page", "6")),
        ("а следующая?", ["глава 3 о чем", "спасибо"], Reference("chapter", "4")),
        ("und die nächste Seite", ["Seite 9"], Reference("page", "10")),
        ("next section", ["section 4.2"], Reference("section", "4.3")),
    ],
)
def test_a_part_after_that_of_the_question_before(question: str, earlier: list[str], found: Reference) -> None:
    assert references_in(question, earlier) == [found]


@pytest.mark.parametrize("question", ["thanks", "next", "the next chapter"])
def test_without_a_part_before_there_is_none_after_it(question: str) -> None:
    assert references_in(question, ["hello"]) == []


@pytest.mark.parametrize(
    "text",
    ["page 1-" * 20_000, "1-" * 50_000, "第" * 50_000, "page " * 20_000, "page 99999999999999999999", "page ²", "\0"],
)
def test_any_text_is_read(text: str) -> None:
    assert len(references_in(text)) <= 20


def test_a_range_is_bounded() -> None:
    (found,) = references_in("pages 1-1000000")
    assert int(found.last) <= 1_000
