"""Reasoning that models write into their text."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.services.common.thoughts import ThoughtSplitter, without_leading_thoughts
from work_support import lines_run

FRAGMENTS = [
    "<think>", "</think>", "<thinking>", "</thinking>", "<THINK a=b>", "<think/>", "[THINK]", "[/THINK]", "<th", ">",
    "<|channel>thought\n", "<channel|>", "<|channel|>", "<|start|>", "analysis", "final", "<|message|>", "<|end|>",
    "`", "```", "```py", "~~~", "\n", " ", "    ", "- ", "> ", "a", "word", ".", '"', "(", ")", "\\", "<", "◁think▷",
]  # fmt: skip
SOURCES = st.lists(st.sampled_from(FRAGMENTS), max_size=14)


def split(pieces: Iterable[str]) -> tuple[str, str]:
    """Return the answer and the reasoning, as the answer of a turn puts them together."""
    splitter, text, thoughts = ThoughtSplitter(), "", ""
    for kind, piece in [piece for text_in in pieces for piece in splitter.add(text_in)] + [*splitter.end()]:
        if kind == "moved":
            text, thoughts = "", thoughts + text
        elif kind == "text":
            text += piece
        else:
            thoughts += piece
    if (within := splitter.answer_in_thought) is not None:
        start, end = (len(thoughts) - place for place in within)
        text, thoughts = text + thoughts[end:].lstrip(), thoughts[:start]
    return text, thoughts


@pytest.mark.parametrize(
    ("source", "text", "thoughts"),
    [
        ("<think>x</think>\n\nYes", "Yes", "x"),
        ("\n<think>\nx\n</think>\nYes", "Yes", "\nx\n"),
        ("<THINK>x</Think>Yes", "Yes", "x"),
        ('<thinking budget="9">x</thinking >Yes', "Yes", "x"),
        ("<thought>x</thought>Yes", "Yes", "x"),
        ("<reasoning>x</reasoning>Yes", "Yes", "x"),
        ("<seed:think>x</seed:think>Yes", "Yes", "x"),
        ("[THINK]x[/THINK]Yes", "Yes", "x"),
        ("◁think▷x◁/think▷Yes", "Yes", "x"),
        ("<|channel>thought\nx<channel|>Yes", "Yes", "\nx"),
        ("<|START_THINKING|>x<|END_THINKING|>Yes", "Yes", "x"),
        (
            "<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>final<|message|>Yes<|return|>",
            "Yes",
            "x",
        ),
        ("x<|end|><|start|>assistant<|channel|>final<|message|>Yes", "Yes", "x<|end|>"),
        ("x\n</think>\n\nYes", "Yes", "x\n"),
        ("x. </think> Yes", "Yes", "x. "),
        ("x</think>Yes", "Yes", "x"),
        ("x[/THINK]Yes", "Yes", "x"),
        ("</think>\n\nYes", "Yes", ""),
        ("<think></think>\n\nYes", "Yes", ""),
        ("<think/>\nYes", "Yes", ""),
        ("<think>never closed", "", "never closed"),
        ("<thi", "", "<thi"),
        ("x\n</think>", "", "x\n"),
        ("One\n<think>x</think>\nTwo\n<think>y</think>\nThree", "One\nTwo\nThree", "x\n\ny"),
        ("One.<think>x</think>Two", "One.Two", "x"),
        ("One\n<think>never closed", "One\n", "never closed"),
        ("<think>x</thinking>Yes", "Yes", "x"),
        ("<thinking>x </think> y</thinking>Yes", "Yes", "x </think> y"),
        ("<think>x<think>y</think>z</think>Yes", "Yes", "x<think>yz"),
        ("<think>x</think>Yes\n</think>\n", "Yes\n", "x"),
        ("<think>x `</think>` y</think>Yes", "Yes", "x `</think>` y"),
        ("<think>x ` y </think>Yes `z`", "Yes `z`", "x ` y "),
        ("<think>x</think", "", "x</think"),
        ("<think>x `</think>` y", "", "x `</think>` y"),
        ("<think>x\n\n`</think>\n\nYes", "Yes", "x\n\n`"),
        ("<think>\n```\n</think>\n```\nx</think>Yes", "Yes", "\n```\n</think>\n```\nx"),
        ("<think>\n```py\nx\n</think>\nYes", "Yes", "\n```py\nx\n"),
    ],
)
def test_thoughts_are_not_the_answer(source: str, text: str, thoughts: str) -> None:
    assert split([source]) == (text, thoughts)
    assert split(source) == (text, thoughts)


@pytest.mark.parametrize(
    "source",
    [
        "`<think>no</think>`",
        "Write `tag <think> here` and ``</think> `` there",
        "```\n<think>\nx\n</think>\n```\nThat is it.",
        "~~~xml\n</think>\n~~~",
        "Look:\n\n    <think>\n    x",
        "Use the <think> tag and close it with </think>.",
        "Models write <think>...</think> before they answer.",
        "Теги <think> и </think> обрамляют рассуждения.",
        'The format is "<think>...</think>" as you know (<think> opens it).',
        "- <think>: opens\n- </think>: closes",
        "| tag | use |\n|-|-|\n| <think> | opens |\n| </think> | closes |",
        r"\<think> and \</think>",
        "**<think>** and **</think>**",
        "It ends with </think>",
        "[THINK](https://example.com) and [THINK]: a label",
        "a < b, <thin, <thinker>, [THINKING], List<thing>",
        "Done.<|end|>",
        "  indented\n\n",
        "",
        " \n",
        "<",
    ],
)
def test_an_answer_about_the_tags_stays_the_answer(source: str) -> None:
    assert split([source]) == (source, "")
    assert split(source) == (source, "")


@given(SOURCES)
def test_the_pieces_do_not_matter(fragments: list[str]) -> None:
    whole = split(["".join(fragments)])
    assert split(fragments) == whole
    assert split("".join(fragments)) == whole


@given(st.lists(st.sampled_from([each for each in FRAGMENTS if each[:1] not in "<[◁>"]), max_size=14))
def test_without_tags_nothing_changes(fragments: list[str]) -> None:
    assert split(fragments) == ("".join(fragments), "")


@given(SOURCES)
def test_words_are_kept_in_one_of_the_two(fragments: list[str]) -> None:
    source = "".join(fragments)
    text, thoughts = split(fragments)
    assert (text + thoughts).count("word") == source.count("word") or "<|" in source


@pytest.mark.parametrize(
    "fragment",
    ["<think>", "</think>", "<think>x</think>", "x</think>", "`<think>", "`<think>``", "<", "<th", "```\n</think>\n"],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_four_times_the_text_is_four_times_the_work(fragment: str, size: int) -> None:
    def work(length: int) -> int:
        source = fragment * (length // len(fragment))
        return lines_run(lambda: split(source[start : start + size] for start in range(0, len(source), size)))

    assert work(12_000) < 5 * work(3_000) + 1000


def test_only_a_possible_tag_is_held_back() -> None:
    splitter = ThoughtSplitter()
    assert splitter.add("Half a ") == [("text", "Half a ")]
    assert splitter.add("word <") == [("text", "word ")]
    assert splitter.add(" b") == [("text", "< b")]


def test_an_endless_start_of_white_space_is_text() -> None:
    splitter = ThoughtSplitter()
    assert sum(len(piece) for _ in range(100) for _, piece in splitter.add(" " * 100)) > 5000
    splitter.add("<think>x</think>")
    assert sum(len(piece) for _ in range(100) for _, piece in splitter.add(" " * 100)) > 5000


@pytest.mark.parametrize(
    ("stored", "sent"),
    [("<think>x</think>\nYes", "Yes"), ("Yes <think>", "Yes <think>"), ("`<think>`", "`<think>`"), ("", "")],
)
def test_stored_answers_of_earlier_versions_lose_their_thoughts(stored: str, sent: str) -> None:
    assert without_leading_thoughts(stored) == sent
