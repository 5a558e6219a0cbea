"""Splitting texts into messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.bot.rendering.split import MESSAGE_LIMIT, split_text, utf16_length

ANY_TEXT = st.text(st.characters() | st.sampled_from(" \n\t.!?…😀"))
LONG_TEXT = st.lists(st.text("ab.! \n😀я", min_size=1, max_size=40), max_size=40).map("".join)


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@given(ANY_TEXT)
def test_length_is_counted_in_utf16_units(text: str) -> None:
    assert utf16_length(text) == units(text)


@given(ANY_TEXT | LONG_TEXT, st.integers(2, 40))
def test_nothing_but_white_space_is_lost_and_the_order_stays(text: str, limit: int) -> None:
    assert "".join("".join(split_text(text, limit)).split()) == "".join(text.split())


@given(ANY_TEXT | LONG_TEXT, st.integers(2, 40))
def test_parts_fit_and_none_is_empty_or_padded(text: str, limit: int) -> None:
    for part in split_text(text, limit):
        assert 0 < units(part) <= limit
        assert part == part.strip()


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(2, 40))
def test_no_character_is_cut_in_two(text: str, limit: int) -> None:
    for part in split_text(text, limit):
        part.encode()


@given(LONG_TEXT)
def test_a_text_that_fits_is_one_part(text: str) -> None:
    assert split_text(text, max(2, units(text))) == ([text.strip()] if text.strip() else [])


@given(st.lists(st.text("ab", min_size=1, max_size=10), min_size=1, max_size=20), st.integers(10, 40))
def test_words_that_fit_are_not_cut(words: list[str], limit: int) -> None:
    assert [word for part in split_text(" ".join(words), limit) for word in part.split()] == words


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("one two\n\nthree four five", ["one two", "three four five"]),
        ("one more\nthree four five", ["one more", "three four five"]),
        ("One two. Three four five", ["One two.", "Three four five"]),
        ("one two three four", ["one two three", "four"]),
        ("o\n\ntwo three four five", ["o\n\ntwo three", "four five"]),
        ("x" * 20, ["x" * 16, "x" * 4]),
        ("😀" * 9, ["😀" * 8, "😀"]),
        ("a😀😀😀😀😀😀😀😀", ["a😀😀😀😀😀😀😀", "😀"]),
    ],
    ids=["paragraph", "line", "sentence", "word", "not too early", "no place", "emoji", "half an emoji left"],
)
def test_the_cut_is_where_it_disturbs_least(text: str, parts: list[str]) -> None:
    assert split_text(text, 16) == parts


@pytest.mark.parametrize("text", ["", "  ", "\n\n\t"])
def test_nothing_comes_of_nothing(text: str) -> None:
    assert split_text(text) == []


def test_the_limit_is_that_of_telegram() -> None:
    assert [utf16_length(part) for part in split_text("😀" * 3000)] == [MESSAGE_LIMIT, 6000 - MESSAGE_LIMIT]


def test_a_very_long_text_is_split_without_measuring_its_rest_again(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = 0

    def measure(text: str) -> int:
        nonlocal measured
        measured += len(text)
        return units(text)

    monkeypatch.setattr("tgllm.bot.rendering.split.utf16_length", measure)
    text = "слово " * 50_000
    split_text(text)
    assert measured < 3 * len(text)
