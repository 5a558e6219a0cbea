"""Which recordings are the person's own words, and the question with them."""

from dataclasses import replace

import pytest

from tgllm.services.files.attachment import Attachment
from tgllm.services.files.spoken import is_spoken, is_wordless, lacks_words, with_words

VOICE = Attachment(source="s", key="k", kind="voice", message_id=7)


@pytest.mark.parametrize(
    ("attachment", "expected"),
    [
        (VOICE, True),
        (replace(VOICE, kind="video_note"), True),
        (replace(VOICE, kind="audio"), False),
        (replace(VOICE, kind="video"), False),
        (replace(VOICE, kind="document"), False),
        (replace(VOICE, is_forwarded=True), False),
        (replace(VOICE, message_id=6), False),
        (replace(VOICE, message_id=None), False),
    ],
)
def test_whose_words_a_recording_contains(attachment: Attachment, expected: bool) -> None:
    assert is_spoken(attachment, (7, 8)) is expected


@pytest.mark.parametrize(
    ("question", "words", "expected"),
    [
        ("[A voice message]", ["Buy milk."], "Buy milk."),
        ("Ann: [A voice message]", ["Buy milk."], "Ann: Buy milk."),
        ("[In reply to Bob: bread?]\n[A voice message]", ["Milk."], "[In reply to Bob: bread?]\nMilk."),
        ("Translate it", ["Buy milk."], "Translate it\n\nBuy milk."),
        ("[2 files]", [" One. ", "", "Two."], "One.\n\nTwo."),
        ("Why is it a[0]", ["Buy milk."], "Why is it a[0]\n\nBuy milk."),
        ("[A voice message]", ["", " "], "[A voice message]"),
        ("[A voice message]", [r"\1 [x]"], r"\1 [x]"),
        ("Buy milk.", ["Buy milk."], "Buy milk."),
        ("Translate it\n\nBuy milk.", ["Buy milk. "], "Translate it\n\nBuy milk."),
    ],
)
def test_the_words_take_the_place_of_the_remark(question: str, words: list[str], expected: str) -> None:
    assert with_words(question, words) == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [("[A voice message]", True), ("Ann: [A voice message]", True), ("Buy [two] milk", False), ("Why a[0]", False)],
)
def test_a_question_without_words(question: str, expected: bool) -> None:
    assert lacks_words(question) is expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("[A picture, sent without words: say briefly what it is or shows, or summarise it]", True),
        ("[Forwarded from Eve]\n[File a.pdf]", True),
        ("[Forwarded from Eve]\nAnn: [File a.pdf]", True),
        ("When?\n[Forwarded from Eve]\n[File a.pdf]", False),
        ("What is a[0]", False),
        ("[Forwarded from Eve]\nWhat is it?", False),
    ],
)
def test_a_question_of_remarks_alone_is_wordless(question: str, expected: bool) -> None:
    assert is_wordless(question) is expected
