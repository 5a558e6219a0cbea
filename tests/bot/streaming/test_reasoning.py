"""What the model thought, above its answer where the chat wants it."""

from dataclasses import replace
from typing import Any

import pytest

from tgllm.api import ModelRef
from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.rendering.render import render
from tgllm.bot.streaming.reasoning import with_thoughts
from tgllm.services.chats.settings import AnswerLook
from tgllm.services.conversations.turn import TurnOutcome

OUTCOME = TurnOutcome("ok", ModelRef("a", "b"), "The **answer**.", reasoning="First.\n\nThen.")


def shown(outcome: TurnOutcome) -> EntityText:
    (payload,) = render(with_thoughts(outcome, "Thoughts", is_rich=False), rich="never")
    assert isinstance(payload, EntityText)
    return payload


def test_hidden_they_leave_the_answer_alone() -> None:
    assert with_thoughts(OUTCOME, "Thoughts", is_rich=False) == OUTCOME.text


@pytest.mark.parametrize(
    ("display", "kind", "above"),
    [("shown", "blockquote", "Thoughts\n\n"), ("folded", "expandable_blockquote", "Thoughts\n")],
)
def test_they_stand_in_a_quote_above_the_answer(display: str, kind: str, above: str) -> None:
    payload = shown(replace(OUTCOME, look=AnswerLook(display)))  # type: ignore[arg-type]  a parameter of the test
    quote = next(entity for entity in payload.entities if entity.type == kind)
    assert payload.text == f"{above}First.\n\nThen.\n\nThe answer."
    assert payload.text[: quote.offset + quote.length].endswith("Then.")


@pytest.mark.parametrize("display", ["shown", "folded"])
@pytest.mark.parametrize(
    "thoughts",
    ["```py\nx = 1", "~~~\n```\n", "a </details> b\n</details>", "<details>\nopen", "- a\n  - b", "````\n```\n", "> q"],
)
def test_whatever_they_hold_the_answer_stands_below_and_outside(display: str, thoughts: str) -> None:
    outcome = replace(OUTCOME, reasoning=thoughts, look=AnswerLook(display))  # type: ignore[arg-type]  a parameter
    payload = shown(outcome)
    assert payload.text.endswith("\n\nThe answer.")
    start = len(payload.text.encode("utf-16-le")) // 2 - len("The answer.")
    around = [entity.type for entity in payload.entities if entity.offset + entity.length > start]
    assert around == ["bold"]


@pytest.mark.parametrize("display", ["shown", "folded"])
def test_without_thoughts_or_without_an_answer_there_is_nothing_to_add(display: str) -> None:
    outcome = replace(OUTCOME, reasoning=" \n", look=AnswerLook(display))  # type: ignore[arg-type]  a parameter
    assert with_thoughts(outcome, "Thoughts", is_rich=False) == OUTCOME.text
    assert with_thoughts(replace(outcome, reasoning="x", text=""), "Thoughts", is_rich=False) == ""


def test_long_ones_are_cut() -> None:
    outcome = replace(OUTCOME, reasoning="x" * 10_000, look=AnswerLook("folded"))
    assert len(with_thoughts(outcome, "Thoughts", is_rich=False)) < 3200


@pytest.mark.parametrize("display", ["shown", "folded"])
def test_long_ones_leave_the_answer_in_one_message(display: Any) -> None:
    answer = "word " * 500 + "end"
    outcome = replace(OUTCOME, text=answer, reasoning="thought " * 1000, look=AnswerLook(display))
    (payload,) = render(with_thoughts(outcome, "Thoughts", is_rich=False), rich="never")
    assert isinstance(payload, EntityText)
    assert payload.text.endswith("\n\n" + answer)
    assert payload.text.count("thought ") > 150


def test_some_are_shown_above_an_answer_of_many_messages() -> None:
    outcome = replace(OUTCOME, text="word " * 2000, reasoning="thought " * 1000, look=AnswerLook("shown"))
    first, *others = render(with_thoughts(outcome, "Thoughts", is_rich=False), rich="never")
    assert isinstance(first, EntityText)
    assert first.text.count("thought ") > 100
    assert others


def test_folded_ones_of_a_rich_message_have_more_room() -> None:
    outcome = replace(OUTCOME, text="word " * 2000, reasoning="x" * 10_000, look=AnswerLook("folded"))
    assert with_thoughts(outcome, "Thoughts", is_rich=True).count("x") > 2900
