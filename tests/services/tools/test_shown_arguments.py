"""A card shows all arguments, and nothing in them is hidden or imitates an escape."""

import json
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.services.tools.shown_arguments import chunks, shown_arguments, units

HOSTILE = [
    *map(chr, range(32)),
    *"\x7f\x85\xad\u034f\u061c\u115f\u200b\u200d\u202e\u2066\u2800\u3164\ufe0f\ufeff",
    *("\U000e0041", "\U000e0100", "\u2028", "\\", '"', "{", "u", "(", " ", "\n"),
]
texts = st.text(st.one_of(st.sampled_from(HOSTILE), st.characters(exclude_categories=["Cs"])))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def read_back(shown: str) -> Any:
    """Read what a card shows: an escape stands for a character, and a doubled backslash for a backslash."""

    def read(found: re.Match[str]) -> str:
        if found["code"] is None:
            return found[0]
        sign = chr(int(found["code"], 16)) * int(found["count"] or 1)
        return json.dumps(sign)[1:-1]

    escape = r"\\u\{(?P<code>[0-9a-f]+)\}(?:(?<=\{20\})\((?P<count>\d+)\))?"
    return json.loads(re.sub(rf"\\\\|{escape}", read, shown))


@given(st.dictionaries(texts, values, max_size=4))
def test_all_of_it_can_be_read_back(arguments: dict[str, Any]) -> None:
    assert read_back(shown_arguments(json.dumps(arguments))) == arguments


@given(st.dictionaries(texts, values, max_size=4))
def test_nothing_is_hidden(arguments: dict[str, Any]) -> None:
    shown = shown_arguments(json.dumps(arguments, ensure_ascii=False))
    hidden = {sign for sign in shown if sign != "\n" and unicodedata.category(sign) in {"Cc", "Cf", "Cn", "Co", "Zl"}}
    assert not hidden
    assert not re.search("[\u034f\u115f\u2800\u3164\ufe00-\ufe0f\U000e0100-\U000e01ef]", shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("abc\u202etxt.exe", r"abc\u{202e}txt.exe"),
        ("a\u200bb", r"a\u{200b}b"),
        ("pay\x1b[8m", r"pay\u001b[8m"),
        (r"\u{202e}", r"\\u{202e}"),
        ("ok" + " " * 500 + "rm -rf /", r"ok\u{20}(500)rm -rf /"),
        ("Grüße, Ёлка 👍", "Grüße, Ёлка 👍"),
        ("a\u0301\u0302\u0303\u0304", r"a\u{301}\u{302}\u{303}\u{304}"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert shown in shown_arguments(json.dumps({"text": text}))


def test_what_is_no_json_is_shown_as_it_is() -> None:
    assert shown_arguments('{"a": \u202e\\') == '{"a": \\u{202e}\\\\'


@pytest.mark.parametrize("arguments", [" {} ", "", " "])
def test_no_arguments_take_one_line(arguments: str) -> None:
    assert shown_arguments(arguments) == "{}"


@given(st.text(max_size=400), st.integers(2, 50))
def test_pieces_are_short_and_leave_nothing_out(text: str, most: int) -> None:
    pieces = chunks(text, most)
    assert "".join(pieces) == text
    assert all(units(piece) <= most for piece in pieces)
