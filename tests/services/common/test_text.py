"""Text that can be stored and sent."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.observe.visible import is_safe
from tgllm.services.common.text import clip, mend_surrogates, one_line, unlinked, without_controls


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_ordinary_text_stays(text: str) -> None:
    assert mend_surrogates(text) == text


@given(st.text(st.characters()))
def test_the_result_can_be_encoded(text: str) -> None:
    mend_surrogates(text).encode()


@pytest.mark.parametrize(
    ("broken", "mended"),
    [("a\ud83d\ude00b", "a😀b"), ("a\ud83d", "a\ufffd"), ("\ude00b", "\ufffdb"), ("\ude00\ud83d", "\ufffd\ufffd")],
)
def test_halves_are_joined_or_replaced(broken: str, mended: str) -> None:
    assert mend_surrogates(broken) == mended


@pytest.mark.parametrize(
    ("text", "clipped"), [("abcd", "abcd"), ("abcde", "abc…"), ("ab😀", "ab😀"), ("ab😀c", "ab…"), ("", "")]
)
def test_a_clipped_text_fits_and_cuts_no_character_in_two(text: str, clipped: str) -> None:
    assert clip(text, 4) == clipped


@pytest.mark.parametrize(
    "text",
    ["@evil", "t.me/x", "https://x.example/a.b", "example.com", "/start", "#tag", "$USD", "a@b.example", "tg://x",
     "t.me", "пример.рф", "J.R", "//x", "(@evil)", "a/@b"],
)  # fmt: skip
def test_what_telegram_makes_clickable_is_broken(text: str) -> None:
    shown = unlinked(text)

    assert shown != text
    assert len(shown) == len(text)
    assert not re.search(r"[@#$/](?=\w)|://|\S\.\w", shown)
    assert is_safe(shown)


@pytest.mark.parametrize("text", ["Ann O'Neil", "Dr. Who", "3 + 4 / 2", "50 % @ home", "what?", "...", "a: b", ""])
def test_ordinary_words_stay(text: str) -> None:
    assert unlinked(text) == text


def test_one_line_keeps_emoji_and_letters_that_joiners_shape() -> None:
    text = "\N{MAN}\u200d\N{WOMAN} \u0645\u06cc\u200c\u062e Жанна"

    assert one_line(text, 80) == text


def test_one_line_has_nothing_that_moves_or_covers() -> None:
    shown = one_line("a\u202eb\nc\u2028d\x1be\u200bf" + "\u0301" * 50, 80)

    assert shown == "a b c d e f\u0301\u0301\u0301"


def test_several_lines_without_controls() -> None:
    assert without_controls("a\u202eb\n\tc\x1b\u200bd\r\n") == "ab\n\tcd\n"
