"""Text that can't be written as UTF-8 is mended; rows become values by column name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.db.engine.rows import clean, dumps


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("plain", "plain"),
        ("schön 😀", "schön 😀"),
        ("\ud83d\ude00", "😀"),
        ("\ud83d", "\ufffd"),
        ("\ude00 x", "\ufffd x"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\x00", "\x00"),
    ],
)
def test_halves_of_pairs_are_joined_or_replaced(text: str, stored: str) -> None:
    assert clean(text) == stored


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_stored_and_good_text_is_left_alone(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert clean(cleaned) == cleaned
    if not any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        assert cleaned == text


@given(st.text(st.characters(exclude_categories=())))
def test_json_is_ascii_and_comes_back(text: str) -> None:
    stored = dumps({"text": text})
    assert stored.isascii()
    # Two halves side by side come back as the one character they are.
    assert clean(json.loads(stored)["text"]) == clean(text)
