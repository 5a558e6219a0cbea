"""What questions ask for."""

import pytest

from tgllm.services.files.search.terms import MOST_TERMS, Term, is_overview, plain, similarity, terms_of


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("What is the cancellation fee?", ["cancellation", "fee"]),
        ("Какой срок расторжения договора?", ["срок", "расторжения", "договора"]),
        ("Wie lange ist die Kündigungsfrist?", ["lange", "kundigungsfrist"]),
        ("What costs 1,200.50 USD?", ["costs", "1200", "50", "usd"]),
        ("合同期限？", ["合同", "同期", "期限"]),
        ("What does the file say?", []),
        ("О чём этот документ?", []),
        ("", []),
    ],
)
def test_words_that_say_nothing_are_left_out(question: str, terms: list[str]) -> None:
    assert [term.text for term in terms_of(question)] == terms


def test_scripts_without_spaces_are_split() -> None:
    assert Term("สุน", "part") in terms_of("สุนัขชื่ออะไร")
    assert {term.kind for term in terms_of("東京タワー")} == {"pair"}


def test_a_long_question_is_bounded() -> None:
    assert len(terms_of(" ".join(f"word{number}" for number in range(50_000)))) == MOST_TERMS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("contract", "contracts"),
        ("договора", "договор"),
        ("расторжения", "расторжение"),
        ("cancellation", "cancelled"),
        ("terminate", "termination"),
        ("kundigungsfrist", "kundigung"),
        ("vaccinated", "vaccination"),
        ("колокола", "колоколами"),
    ],
)
def test_forms_of_a_word_are_similar(one: str, other: str) -> None:
    assert 0.5 < similarity(one, other) < 1
    assert similarity(one, other) == similarity(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("car", "carpet"),
        ("cat", "dog"),
        ("", "a"),
        ("ab", "abc"),
        ("pay", "payload"),
        ("part12", "part13"),
        ("part", "part1"),
        ("договор", "доглядел"),
    ],
)
def test_other_words_are_not(one: str, other: str) -> None:
    assert similarity(one, other) == 0


@pytest.mark.parametrize(
    "question", ["Summarise it", "TL;DR", "Кратко, о чём это?", "Fasse zusammen", "résume", "总结一下"]
)
def test_a_question_about_the_whole(question: str) -> None:
    assert is_overview(question)


def test_letters_without_accents() -> None:
    assert plain("Käufer ÉTÉ Ёлка Йод") == "kaufer ete елка йод"
