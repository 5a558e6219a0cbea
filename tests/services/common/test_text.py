"""Text that can be stored and sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.services.common.text import clip, mend_surrogates


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
