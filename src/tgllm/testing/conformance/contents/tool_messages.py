"""Tests of calls of tools and their results in the messages of a request."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tgllm.api import (
    ChatMessage,
    ChatRequest,
    Finished,
    ProviderError,
    TextPart,
    ToolCall,
    ToolCallPart,
    ToolResultPart,
)
from tgllm.api.version import ApiVersion
from tgllm.testing.asking import Heard
from tgllm.testing.conformance.checking import check, offered
from tgllm.testing.conformance.contents.tool_samples import CITY, CLOCK, PLANETS, TOOLS, arguments_of, whole_calls
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.loading import plugin_info
from tgllm.testing.conformance.subject import Subject

__all__ = ["ToolMessageTests"]

_CALLS = (
    ToolCallPart("made-by/another model:1", CLOCK, {"zone": "Europe/Berlin"}),
    ToolCallPart("made-by/another model:2 " + "x" * 80, CITY, {"name": "Łódź", "depth": 2}),
)
_TEXTS = ('12:30 "exactly"', '{"$ref": "#/$defs/City", "people": 670000}')


class ToolMessageTests(Kit):
    """Calls and their results arrive at the service, each result with its call. Since 1.2."""

    @pytest.fixture
    def tool_subject(self, subject: Subject) -> Subject:
        """Provide the provider and its service; skip the test if the provider does not take tools."""
        if not subject.provider.supports_tools:
            pytest.skip("the provider has no supports_tools")
        return subject

    async def test_calls_and_results_arrive(self, tool_subject: Subject) -> None:
        """Calls of another model and their results arrive in order, with ids that the service takes."""
        await tool_subject.hear(_with_round(tool_subject, _CALLS, _results(_CALLS, _TEXTS)))
        _check_seen(tool_subject, _CALLS, _TEXTS)

    async def test_several_rounds_arrive(self, tool_subject: Subject) -> None:
        """A call that follows a result, and the same tool called again with the same arguments, stay apart."""
        again = (replace(_CALLS[0], id="again"), ToolCallPart("3", PLANETS, {}))
        first = _with_round(tool_subject, _CALLS, _results(_CALLS, _TEXTS)).messages
        rounds = (*first, *_round(again, _results(again, ("12:31", "eight"))))
        await tool_subject.hear(_asking(tool_subject, rounds))
        _check_seen(tool_subject, (*_CALLS, *again), (*_TEXTS, "12:31", "eight"))

    async def test_a_text_with_calls_arrives(self, tool_subject: Subject) -> None:
        """What the model said before its calls is in the request as well."""
        request = _with_round(tool_subject, _CALLS, _results(_CALLS, _TEXTS), said="I'll look it up 0815.")
        await tool_subject.hear(request)
        _check_seen(tool_subject, _CALLS, _TEXTS)
        saw = offered("saw", lambda: tool_subject.service.saw("I'll look it up 0815."))
        check(saw, "the text of an answer with calls was dropped")

    async def test_words_after_results_arrive(self, tool_subject: Subject) -> None:
        """Text in the message of the results, and a conversation that goes on after an answer to them, are accepted."""
        first = _with_round(tool_subject, _CALLS, (*_results(_CALLS, _TEXTS), TextPart("be brief 0816"))).messages
        later = (
            *first,
            ChatMessage("assistant", (TextPart("At noon 0817."),)),
            *tool_subject.ask("and 0818?").messages,
        )
        for messages in (first, later):
            await tool_subject.hear(_asking(tool_subject, messages))
            _check_seen(tool_subject, _CALLS, _TEXTS)
        lost = [
            text
            for text in ("be brief 0816", "At noon 0817.", "and 0818?")
            if not offered("saw", lambda text=text: tool_subject.service.saw(text))
        ]
        check(not lost, f"these words after results did not arrive: {lost}")

    async def test_the_own_answer_is_replayed(self, tool_subject: Subject) -> None:
        """An answer of the provider with calls, its ``provider_data`` included, is accepted in the next request."""
        service = tool_subject.service
        made = [ToolCall("", part.name, json.dumps(part.arguments)) for part in _CALLS]
        messages = tool_subject.ask("What time is it in Łódź?").messages
        for number in (1, 2):
            thought = f"Thought {number} of 0819."
            offered("call", lambda thought=thought: service.call(*made, text="I'll look. ", reasoning=thought))
            heard = await tool_subject.hear(_asking(tool_subject, messages))
            replayed = service.to_replay()
            messages = (*messages, *_replayed(heard))
            await tool_subject.hear(_asking(tool_subject, messages))
            _check_seen(tool_subject, _CALLS * number, _TEXTS * number, as_calls=True)
            check(
                replayed is None or service.saw(replayed),
                f"{replayed!r} of an answer with calls is not in the next request: keep it in provider_data",
            )

    async def test_an_answer_without_its_data_is_replayed(self, tool_subject: Subject) -> None:
        """The same answer without its ``provider_data`` is accepted, as after a change of the model."""
        made = [ToolCall("", part.name, json.dumps(part.arguments)) for part in _CALLS]
        offered("call", lambda: tool_subject.service.call(*made, reasoning="Two things."))
        heard = await tool_subject.hear(tool_subject.ask("Hello", tools=TOOLS))
        asked, results = _replayed(heard)
        await tool_subject.hear(_with_messages(tool_subject, replace(asked, provider_data=None), results))
        _check_told(tool_subject, [part.name for part in _CALLS], _TEXTS)

    async def test_an_error_is_told_as_such(self, tool_subject: Subject) -> None:
        """A failed call makes another request than one with the same text as its result."""
        bodies: list[object] = []
        for is_error in (False, True):
            results = [replace(each, is_error=is_error) for each in _results(_CALLS, _TEXTS)]
            await tool_subject.hear(_with_round(tool_subject, _CALLS, results))
            bodies.append(offered("sent", tool_subject.service.sent))
        check(bodies[0] != bodies[1], "is_error of a result was dropped: say it in a field, or in front of the text")

    async def test_an_empty_result_is_accepted(self, tool_subject: Subject) -> None:
        """A tool that returns nothing has a result as well."""
        await tool_subject.hear(_with_round(tool_subject, _CALLS[:1], _results(_CALLS[:1], [""])))

    async def test_the_last_request_of_a_turn_is_accepted(self, tool_subject: Subject) -> None:
        """Calls and results with ``tool_choice="none"``, by which the bot ends a turn that has reached its limit."""
        request = _with_round(tool_subject, _CALLS, _results(_CALLS, _TEXTS))
        heard = await tool_subject.hear(replace(request, tool_choice="none"))
        check(heard.text, "a request with results and tool_choice='none' has no answer")

    async def test_results_are_not_dropped_without_supports_tools(self, subject: Subject) -> None:
        """A provider without ``supports_tools`` refuses calls and results, or sends what they say."""
        if subject.provider.supports_tools:
            pytest.skip("the provider has supports_tools")
        if ApiVersion.parse(plugin_info(self.plugin).api) < ApiVersion(1, 2):
            pytest.skip("the plugin is for an API without tools")
        try:
            await subject.hear(_with_round(subject, _CALLS, _results(_CALLS, ("0820", "0821"))))
        except ProviderError:
            return
        lost = [text for text in ("0820", "0821") if not offered("saw", lambda text=text: subject.service.saw(text))]
        check(not lost, f"these results were dropped: {lost}; raise Unsupported, or send them as text")


def _asking(subject: Subject, messages: Sequence[ChatMessage]) -> ChatRequest:
    return replace(subject.ask("x", tools=TOOLS), messages=tuple(messages))


def _with_messages(subject: Subject, *messages: ChatMessage) -> ChatRequest:
    return _asking(subject, (*subject.ask("What time is it in Łódź?").messages, *messages))


def _with_round(
    subject: Subject, calls: Sequence[ToolCallPart], results: Sequence[ToolResultPart | TextPart], said: str = ""
) -> ChatRequest:
    return _with_messages(subject, *_round(calls, results, said))


def _round(
    calls: Sequence[ToolCallPart], results: Sequence[ToolResultPart | TextPart], said: str = ""
) -> tuple[ChatMessage, ChatMessage]:
    text = (TextPart(said),) if said else ()
    return ChatMessage("assistant", (*text, *calls)), ChatMessage("user", tuple(results))


def _results(calls: Sequence[ToolCallPart], texts: Sequence[str]) -> tuple[ToolResultPart, ...]:
    return tuple(ToolResultPart(call.id, call.name, text) for call, text in zip(calls, texts, strict=True))


def _replayed(heard: Heard) -> tuple[ChatMessage, ChatMessage]:
    """Return an answer as the bot sends it again, and the results of its calls."""
    (finished,) = [event for event in heard.events if isinstance(event, Finished)]
    calls = [ToolCallPart(call.id, call.name, arguments_of(call)) for call in whole_calls(heard)]
    asked, results = _round(calls, _results(calls, _TEXTS), heard.text)
    return replace(asked, provider_data=finished.provider_data), results


def _check_seen(
    subject: Subject, calls: Sequence[ToolCallPart], texts: Sequence[str], *, as_calls: bool = False
) -> None:
    """Check that these calls arrived, and that each has its own result.

    Calls of another model may have become text, unless ``as_calls``: some services take only their own ones.
    """
    seen = offered("saw_calls", subject.service.saw_calls)
    if not seen and not as_calls:
        _check_told(subject, [part.name for part in calls], texts)
        return
    made = [part for part in seen if isinstance(part, ToolCallPart)]
    results = [part for part in seen if isinstance(part, ToolResultPart)]
    found = [(part.name, part.arguments) for part in made]
    wanted = [(part.name, part.arguments) for part in calls]
    check(found == wanted, f"the calls {wanted} arrived as {found}")
    check(len({part.id for part in made}) == len(made), f"two calls arrived with one id: {made}")
    ids = [part.id for part in results]
    check(ids == [part.id for part in made], f"the results {ids} are not in the order of the calls {made}")
    told = [part.text for part in results]
    same = all(text in found for text, found in zip(texts, told, strict=True))
    check(same, f"the results {list(texts)} arrived as {told}")


def _check_told(subject: Subject, names: Sequence[str], texts: Sequence[str]) -> None:
    """Check that calls and results arrived in any form."""
    lost = [text for text in (*names, *texts) if not offered("saw", lambda text=text: subject.service.saw(text))]
    check(not lost, f"these names of tools and texts of results did not arrive: {lost}")
