"""Escapes of characters that a terminal or a chat would act on."""

import json
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tgllm.observe.visible import is_safe, visible, visible_json, visible_line

# Other work on the machine must not fail a test.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

RAW = (
    "\x00\x07\x08\x0b\x0c\r\x1b\x7f\x85\x9b\x9d\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff\ud800"
)


ENGLAND = "\N{WAVING BLACK FLAG}\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("\x1b]8;;http://evil\x07here\x1b]8;;\x07", "\\x1b]8;;http://evil\\x07here\\x1b]8;;\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("ok\rno", "ok\\rno"),
        ("a\x08b\x7f", "a\\x08b\\x7f"),
        ("gpt\u202etxt", "gpt\\u202etxt"),
        ("\u2066a\u2069", "\\u2066a\\u2069"),
        ("a\u200bb\u200dc", "a\\u200bb\\u200dc"),
        ("a\u2028b", "a\\u2028b"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        (f"{ENGLAND}\U000e0041", f"{ENGLAND}\\U000e0041"),
        (f"a{ENGLAND[1:3]}", "a\\U000e0067\\U000e0062"),
        (f"{ENGLAND[:-1]}", "\N{WAVING BLACK FLAG}\\U000e0067\\U000e0062\\U000e0065\\U000e006e\\U000e0067"),
        ("\u3164", "\\u3164"),
    ],
)
def test_what_would_act_is_shown(raw: str, shown: str) -> None:
    assert visible(raw) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Ann O'Neil\n\tand Жанна",
        "C:\\x1b",
        "\N{FAMILY}\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}",
        "\N{HEAVY BLACK HEART}\ufe0f\u200d\N{FIRE}",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: "I want"
        "\u05e9\u05dc\u05d5\u05dd",
        "日本\u3000語",
        f"{ENGLAND}{ENGLAND} 2:1",
    ],
)
def test_ordinary_text_is_as_it_was(text: str) -> None:
    assert visible(text) == text


def test_a_line_has_no_line_ends() -> None:
    assert visible_line(" two\r\nlines\t and \n\x1b[1A") == "two lines and \\x1b[1A"


@UNHURRIED
@given(st.text(st.characters() | st.sampled_from(RAW)))
def test_nothing_that_acts_is_left(text: str) -> None:
    shown = visible(text)

    assert is_safe(shown)
    assert visible(shown) == shown
    assert not any(
        unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} or unicodedata.bidirectional(sign) in DIRECTIONS
        for sign in shown
        if sign not in "\t\n"
    )
    assert "\n" not in visible_line(text)


DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@UNHURRIED
@given(st.dictionaries(st.text(), st.text(st.characters() | st.sampled_from(RAW))))
def test_json_reads_as_the_same(value: dict[str, str]) -> None:
    document = visible_json(json.dumps(value, ensure_ascii=False, indent=2))

    assert is_safe(document)
    assert json.loads(document) == value
