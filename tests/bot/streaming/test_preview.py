"""What is shown of an answer while it is written."""

from dataclasses import replace
from typing import Any, cast

import pytest

from tgllm.api import Finished, ReasoningDelta, TextDelta, Waiting
from tgllm.bot.rendering.split import utf16_length
from tgllm.bot.streaming.preview import Preview
from tgllm.i18n import Catalogue
from tgllm.services.conversations.tool_steps import ToolStep
from tgllm.services.conversations.turn import ShownEvent, TextWasReasoning
from work_support import lines_run

TEXTS = Catalogue()


def preview_of(*events: ShownEvent, language: str = "en") -> Preview:
    preview = Preview(TEXTS, language)
    for event in events:
        preview.add(event)
    return preview


def test_before_anything_came_there_is_no_text() -> None:
    assert preview_of().frame().text == ""


def test_text_is_formatted() -> None:
    frame = preview_of(TextDelta("a **b"), TextDelta("c** d")).frame()
    assert frame.text == "a bc d"
    assert [(entity.type, entity.offset, entity.length) for entity in frame.entities] == [("bold", 2, 2)]


def test_of_a_long_text_the_end_is_shown() -> None:
    text = preview_of(TextDelta("😀" * 3000 + "end")).frame().text
    assert text.endswith("end")
    assert utf16_length(text) <= 4096


@pytest.mark.parametrize("thoughts", ["hidden", "folded"])
def test_thoughts_are_not_shown_unless_they_are_wanted(thoughts: Any) -> None:
    preview = preview_of(ReasoningDelta("hm"))
    assert preview.has_thoughts
    assert preview.frame(thoughts).text == ""
    preview.add(TextDelta("Fine."))
    assert preview.frame(thoughts).text == "Fine."


def test_wanted_thoughts_stand_in_a_quote_above_the_text() -> None:
    frame = preview_of(ReasoningDelta("hm\n```\nx"), TextDelta("Fine.")).frame("shown")
    quote = next(entity for entity in frame.entities if entity.type == "blockquote")
    assert frame.text.endswith("\n\nFine.")
    assert quote.offset + quote.length <= utf16_length(frame.text) - len("Fine.")


def test_of_long_thoughts_the_end_is_shown() -> None:
    frame = preview_of(ReasoningDelta("word " * 5000 + "last")).frame("shown")
    assert frame.text.endswith("last")
    assert utf16_length(frame.text) <= 4096


@pytest.mark.parametrize(
    ("reason", "key"),
    [
        ("queue", "stream.waiting_queue"),
        ("retry", "stream.waiting_retry"),
        ("rate_limit", "stream.waiting_rate_limit"),
    ],
)
def test_what_the_model_waits_for_is_told_until_something_comes(reason: Any, key: str) -> None:
    preview = preview_of(Waiting(reason), language="ru")
    assert preview.frame().text == TEXTS(key, "ru")
    preview.add(ReasoningDelta("hm"))
    assert preview.frame().text == ""


def test_text_that_has_come_is_not_hidden_by_a_wait() -> None:
    assert preview_of(TextDelta("Half"), Waiting("retry")).frame().text == "Half"


def test_a_wait_for_something_unheard_of_looks_like_thinking() -> None:
    assert preview_of(Waiting(cast("Any", "moon"))).frame().text == ""


def test_only_what_can_be_seen_counts_as_a_change() -> None:
    preview = Preview(TEXTS, "en")
    assert preview.add(TextDelta("a"))
    assert preview.add(Waiting("queue"))
    assert not preview.add(Finished())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.5, ""),
        (float("nan"), ""),
        (float("inf"), ""),
        (2.2, " About 3 seconds."),
        (10, " About 10 seconds."),
        (18.5, " About 20 seconds."),
        (86_400, " About 24 hours."),
        (1e300, " About 36500 days."),
    ],
)
def test_a_wait_whose_length_is_known_says_so(seconds: float | None, words: str) -> None:
    assert preview_of(Waiting("retry", seconds)).frame().text == TEXTS("stream.waiting_retry") + words


def test_a_frame_costs_the_same_however_long_the_answer_is() -> None:
    preview = Preview(TEXTS, "en")
    costs: list[int] = []
    for _ in range(2):
        for _ in range(1000):
            preview.add(TextDelta("Some **more** words. " * 5 + "\n\n"))
        costs.append(lines_run(preview.frame))
    assert costs[1] < 1.5 * costs[0]


def test_adding_text_costs_the_same_however_long_the_answer_is() -> None:
    preview = Preview(TEXTS, "en")

    def add() -> None:
        for _ in range(2000):
            preview.add(TextDelta("Some **more** words.\n\n"))
            preview.add(ReasoningDelta("Thoughts. "))

    first = lines_run(add)
    assert lines_run(add) < 1.5 * first


def test_thoughts_above_a_text_that_is_cut_are_not_shown() -> None:
    frame = preview_of(ReasoningDelta("hm"), TextDelta("word " * 5000 + "end")).frame("shown")
    assert "hm" not in frame.text
    assert frame.text.startswith("…")
    assert frame.text.endswith("end")


def test_text_that_turns_out_to_be_reasoning_is_hidden() -> None:
    preview = preview_of(TextDelta("hm"), TextWasReasoning())
    assert (preview.has_thoughts, preview.frame().text) == (True, "")
    preview.add(TextDelta("Fine."))
    assert preview.frame().text == "Fine."
    assert preview.frame("shown").text == "Thoughts\n\nhm\n\nFine."


READING = ToolStep("1", "read", "📄 reading", "running")


def test_a_call_stands_before_the_first_text_with_the_time() -> None:
    preview = preview_of(Waiting("queue"), READING)

    assert preview.frame(elapsed=0.0).text == "📄 reading"
    assert preview.frame(elapsed=75.0).text == "📄 reading (75 s)"


def test_while_a_person_decides_there_is_no_time() -> None:
    preview = preview_of(replace(READING, state="waiting"))

    assert preview.waits_for_person
    assert preview.frame(elapsed=75.0).text == "⏳ Waiting for your decision about: 📄 reading"


def test_a_call_stands_below_the_text_and_goes_when_it_has_ended() -> None:
    preview = preview_of(TextDelta("I look **that** up."), READING)

    frame = preview.frame()
    assert frame.text == "I look that up.\n\n📄 reading"
    assert [entity.type for entity in frame.entities] == ["bold"]
    assert preview.add(replace(READING, state="done"))
    assert preview.frame().text == "I look that up."


def test_a_call_has_room_below_a_long_text_with_reasoning() -> None:
    for events in ([TextDelta("😀" * 3000)], [ReasoningDelta("word " * 700), TextDelta("x" * 1500)]):
        text = preview_of(*events, READING).frame("shown").text
        assert text.endswith("\n\n📄 reading")
        assert utf16_length(text) <= 4096


def test_a_call_in_the_same_state_changes_nothing() -> None:
    preview = preview_of(READING)

    assert not preview.add(READING)
    assert preview.add(replace(READING, note="page 2"))
