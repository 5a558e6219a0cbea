"""Calls of tools and their results as text."""

from tgllm.api.types import ChatMessage, TextPart, ToolCallPart, ToolResultPart
from tgllm.providers.encoding.retelling import retold

QUESTION = ChatMessage("user", (TextPart("What is the weather?"),))
CALLS = (ToolCallPart("a", "weather", {"city": "Łódź"}), ToolCallPart("b", "clock", {}))
RESULTS = (ToolResultPart("a", "weather", "rain"), ToolResultPart("b", "clock", "no such zone", is_error=True))


def test_messages_without_calls_stay_the_same_objects() -> None:
    (found,) = retold([QUESTION])

    assert found is QUESTION


def test_a_call_is_told_with_its_result() -> None:
    answer = ChatMessage("assistant", (TextPart("Let me look."), *CALLS), {"signed": True})
    results = ChatMessage("user", (*RESULTS, TextPart("Go on.")))

    _, asked, told = retold([QUESTION, answer, results])

    assert asked == ChatMessage("assistant", (TextPart("Let me look."),))
    assert told.role == "user"
    assert told.text == (
        'The tool weather was called with {"city": "Łódź"} and returned:\nrain\n\n'
        "The tool clock was called with {} and failed:\nno such zone\n\n"
        "Go on."
    )


def test_an_answer_of_calls_alone_is_not_empty() -> None:
    _, asked, _ = retold([QUESTION, ChatMessage("assistant", (*CALLS, CALLS[0])), ChatMessage("user", RESULTS)])

    assert asked.text == "I need weather and clock first."


def test_a_result_whose_call_is_gone_is_told_too() -> None:
    (told,) = retold([ChatMessage("user", RESULTS[:1])])

    assert "weather was called with unknown arguments and returned:\nrain" in told.text
