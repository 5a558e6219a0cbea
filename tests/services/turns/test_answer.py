"""An answer while it comes."""

from typing import Any, cast

import pytest

from tgllm.api import (
    FileDelta,
    Finished,
    FinishReason,
    ModelRef,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    Unavailable,
    Usage,
    Waiting,
)
from tgllm.services.conversations.turn import TextWasReasoning
from tgllm.services.turns.answer import Answer
from tgllm.testing.clock import ManualClock

MODEL = ModelRef("scripted", "model")


@pytest.fixture
def answer(clock: ManualClock) -> Answer:
    return Answer(MODEL, clock)


def test_pieces_become_one_text(answer: Answer) -> None:
    for event in (ReasoningDelta("h"), ReasoningDelta("m"), TextDelta("Fi"), Waiting("queue"), TextDelta("ne.")):
        answer.add(event)
    answer.add(Finished("length", Usage(1, 2), {"a": 1}))
    outcome = answer.outcome()
    assert (outcome.text, outcome.reasoning, outcome.model) == ("Fine.", "hm", MODEL)
    assert (outcome.status, outcome.reason, outcome.usage) == ("ok", "length", Usage(1, 2))
    assert outcome.provider_data == {"a": 1}


def test_files_are_part_of_the_answer(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tgllm.services.files.made.MOST_FILES", 1)
    picture = FileDelta(b"PNG", "image/png")
    assert answer.is_empty
    assert [answer.add(picture), answer.add(picture), answer.add(FileDelta(b"", "image/png"))] == [[picture], [], []]
    assert not answer.is_empty
    assert answer.made.files == [picture]
    assert answer.outcome().files_left_out == 1


@pytest.mark.parametrize(
    "event",
    [FileDelta(cast("bytes", "x"), "a/b"), FileDelta(b"x", cast("str", None)), FileDelta(b"x", "a/b", cast("str", 5))],
)
def test_a_file_with_fields_of_wrong_types_is_refused(answer: Answer, event: FileDelta) -> None:
    with pytest.raises(TypeError, match="FileDelta"):
        answer.add(event)


def test_kinds_that_are_not_known_are_passed_over(answer: Answer) -> None:
    answer.add(cast("StreamEvent", object()))
    assert answer.outcome().text == ""


async def test_times_are_counted_from_the_start(answer: Answer, clock: ManualClock) -> None:
    await clock.advance(2)
    answer.add(ReasoningDelta("hm"))
    await clock.advance(1)
    answer.add(TextDelta("a"))
    await clock.advance(1)
    answer.add(TextDelta("b"))
    outcome = answer.outcome()
    assert (outcome.first_token_seconds, outcome.seconds) == (3.0, 4.0)


def test_without_text_there_is_no_first_token(answer: Answer) -> None:
    answer.add(Finished())
    assert answer.outcome().first_token_seconds is None


def test_an_error_keeps_what_came(answer: Answer) -> None:
    error = Unavailable("gone")
    answer.add(TextDelta("Half"))
    answer.fail(error)
    outcome = answer.outcome()
    assert (outcome.status, outcome.text, outcome.error, outcome.reason) == ("failed", "Half", error, "stopped")


def test_a_stop_keeps_what_came(answer: Answer) -> None:
    answer.add(TextDelta("Half"))
    answer.stop("interrupted")
    outcome = answer.outcome()
    assert (outcome.status, outcome.text, outcome.error, outcome.reason) == ("interrupted", "Half", None, "stopped")


def test_a_pair_that_came_in_halves_is_one_character(answer: Answer) -> None:
    answer.add(TextDelta("a\ud83d"))
    answer.add(TextDelta("\ude00"))
    answer.add(ReasoningDelta("\ud83d"))
    outcome = answer.outcome()
    assert (outcome.text, outcome.reasoning) == ("a😀", "\ufffd")


@pytest.mark.parametrize(
    "event",
    [TextDelta(cast("Any", None)), ReasoningDelta(cast("Any", 5)), Finished(usage=cast("Any", {"input_tokens": 1}))],
    ids=["text", "reasoning", "usage"],
)
def test_an_event_with_the_wrong_content_is_refused(answer: Answer, event: StreamEvent) -> None:
    answer.add(TextDelta("So far"))
    with pytest.raises(TypeError):
        answer.add(event)
    assert answer.outcome().text == "So far"


def test_a_reason_that_is_not_known_is_another_one(answer: Answer) -> None:
    answer.add(Finished(cast("FinishReason", "end_turn")))
    assert answer.outcome().reason == "other"


def test_text_that_is_no_event_is_a_mistake_to_be_told(answer: Answer) -> None:
    with pytest.raises(TypeError, match="wrap it in a TextDelta"):
        answer.add(cast("StreamEvent", "Fine."))


@pytest.mark.parametrize("reason", [None, 5, ["stop"], "eos"])
def test_a_reason_that_is_none_counts_as_another(answer: Answer, reason: Any) -> None:
    answer.add(TextDelta("Fine."))
    answer.add(Finished(reason, Usage(1, 2)))
    assert (answer.outcome().reason, answer.outcome().usage) == ("other", Usage(1, 2))


def limited(clock: ManualClock) -> Answer:
    return Answer(MODEL, clock, 5)


def test_a_text_up_to_the_limit_is_complete(clock: ManualClock) -> None:
    answer = limited(clock)
    assert [*answer.add(TextDelta("12")), *answer.add(TextDelta("345"))] == [TextDelta("12"), TextDelta("345")]
    outcome = answer.outcome()
    assert (answer.is_over_limit, outcome.text, outcome.reason, outcome.dropped) == (False, "12345", "stop", 0)


@pytest.mark.parametrize("kind", [TextDelta, ReasoningDelta])
def test_what_is_beyond_the_limit_is_counted_and_not_kept(
    clock: ManualClock, kind: type[TextDelta] | type[ReasoningDelta]
) -> None:
    answer = limited(clock)
    assert [*answer.add(kind("123")), *answer.add(kind("45678")), *answer.add(kind("9"))] == [kind("123"), kind("45")]
    outcome = answer.outcome()
    assert outcome.text + outcome.reasoning == "12345"
    assert (answer.is_over_limit, outcome.status, outcome.reason, outcome.dropped) == (True, "ok", "length", 4)


def test_an_error_after_the_limit_does_not_count(clock: ManualClock) -> None:
    answer = limited(clock)
    answer.add(TextDelta("123456"))
    answer.fail(Unavailable("gone"))
    assert (answer.outcome().status, answer.outcome().reason, answer.outcome().error) == ("ok", "length", None)


def test_a_person_may_stop_an_answer_at_the_limit(clock: ManualClock) -> None:
    answer = limited(clock)
    answer.add(TextDelta("123456"))
    answer.stop("stopped")
    assert (answer.outcome().status, answer.outcome().reason) == ("stopped", "stopped")


def test_empty_pieces_are_neither_kept_nor_the_first_token(answer: Answer) -> None:
    assert [*answer.add(TextDelta("")), *answer.add(ReasoningDelta(""))] == []
    assert answer.is_empty
    assert answer.outcome().first_token_seconds is None


def test_thoughts_in_the_text_are_reasoning(answer: Answer) -> None:
    shown = [
        *answer.add(TextDelta("<thi")),
        *answer.add(TextDelta("nk>hm</think>\n\nFi")),
        *answer.add(TextDelta("ne.")),
    ]
    assert shown == [ReasoningDelta("hm"), TextDelta("Fi"), TextDelta("ne.")]
    assert (answer.outcome().text, answer.outcome().reasoning) == ("Fine.", "hm")


def test_text_before_a_closing_tag_becomes_reasoning(answer: Answer) -> None:
    shown = [*answer.add(TextDelta("hm")), *answer.add(TextDelta("\n</think>\nFine."))]
    assert shown == [TextDelta("hm"), TextDelta("\n"), TextWasReasoning(), TextDelta("Fine.")]
    assert (answer.outcome().text, answer.outcome().reasoning) == ("Fine.", "hm\n")


def test_a_closing_tag_after_reasoning_of_the_provider_is_dropped(answer: Answer) -> None:
    for event in (ReasoningDelta("hm"), TextDelta("</think>\n\nFine.\n</think>")):
        answer.add(event)
    assert (answer.outcome().text, answer.outcome().reasoning) == ("Fine.\n", "hm")


def test_a_thought_that_was_cut_is_no_answer(answer: Answer) -> None:
    answer.add(TextDelta("<think>hm"))
    answer.add(Finished("length"))
    assert (answer.outcome().text, answer.outcome().reasoning, answer.outcome().reason) == ("", "hm", "length")


def test_thoughts_in_the_text_have_the_limit_of_reasoning(clock: ManualClock) -> None:
    answer = limited(clock)
    for text in ("<think>12345", "67</think>", "12"):
        answer.add(TextDelta(text))
    outcome = answer.outcome()
    assert (outcome.reasoning, outcome.dropped, outcome.text, answer.is_over_limit) == ("12345", 2, "12", True)
