"""Texts of a message that could be the password."""

import pytest

from tgllm.services.admin_password.guesses import Guess, is_single, typed_texts

WORD = "Sesame-Street-42"


@pytest.mark.parametrize(
    ("text", "command", "candidates"),
    [
        (WORD, "", [WORD]),
        (f" '{WORD}' ", "", [f"'{WORD}'", WORD]),
        (f"`{WORD}`", "", [f"`{WORD}`", WORD]),
        (f"backup {WORD}", "admin", [f"backup {WORD}", WORD]),
        (f"{WORD}\nhello", "", [WORD]),
        (f"/{WORD}", "", [f"/{WORD}", WORD]),
        (f"{WORD} backup", "admin", [f"{WORD} backup", WORD]),
        (f"{WORD} of many more short words", "admin", [f"{WORD} of many more short words", WORD]),
        (f"user {WORD} guest now", "admin", [f"user {WORD} guest now", WORD]),
        (f"one two {WORD} four five six seven eight nine", "admin", [f"one two {WORD} four five six seven eight nine"]),
        ("short", "", []),
        ("x" * 257, "", []),
    ],
)
def test_candidates(text: str, command: str, candidates: list[str]) -> None:
    assert list(Guess(text, command, is_addressed=True).candidates) == candidates


@pytest.mark.parametrize("text", ["12345678", "@somebody", "-1001234567", "two words", "short", "2026-11-29"])
def test_these_are_no_passwords_of_one_word(text: str) -> None:
    assert not is_single(text)


def test_what_others_have_written_is_not_typed() -> None:
    content = {
        "text": "one",
        "from": {"first_name": "Ann"},
        "reply_to_message": {"text": "two"},
        "poll": {"question": "three", "options": [{"text": "four"}]},
        "document": {"file_name": "five", "file_id": "six"},
        "entities": [{"type": "code"}],
    }
    assert sorted(typed_texts(content)) == ["five", "four", "one", "three"]
