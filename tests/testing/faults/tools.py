"""Faults in what is made of tools, their calls and results."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from faults.good import Changed, Good, GoodReader, fault
from faults.requests import Asked

from tgllm.api import (
    ChatMessage,
    ChatRequest,
    Finished,
    Json,
    JsonObject,
    ProviderError,
    StreamEvent,
    TextDelta,
    TextPart,
    ToolCall,
    ToolCallDelta,
    ToolCallPart,
    ToolResultPart,
)
from tgllm.providers.failure import Failure, explain
from tgllm.providers.openai_chat import Body
from tgllm.providers.streams.tool_calls import ToolCallReader

OFFER = "test_tools_arrive"
CHOICE = "test_the_choice_arrives"
TWO = "test_two_calls_are_yielded"
BEFORE = "test_text_and_reasoning_before_a_call_stay"
ROUND = "test_calls_and_results_arrive"


@fault("tools are dropped", OFFER)
class NoTools(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, tools=())


@fault("descriptions of tools are dropped", OFFER)
class NoDescriptions(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, tools=tuple(replace(tool, description="") for tool in request.tools))


@fault("arguments of tools are dropped", OFFER)
class NoSchemas(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, tools=tuple(replace(tool, schema={}) for tool in request.tools))


@fault("tool_choice is dropped", f"{CHOICE}[required]")
class NoChoice(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, tool_choice="auto")


@fault("tool_choice `none` is dropped", f"{CHOICE}[none]")
class NoNone(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, tool_choice="auto" if request.tool_choice == "none" else request.tool_choice)


@fault("the name of a forced tool is lost", f"{CHOICE}[tool:city-facts_2]")
class AnyTool(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        is_named = request.tool_choice.startswith("tool:")
        return replace(request, tool_choice="required" if is_named else request.tool_choice)


@fault("fields about tools are sent without tools", "test_a_request_without_tools_has_none")
class AlwaysTools(Good):
    def settings(self, request: ChatRequest) -> Body:
        return {**super().settings(request), **({} if request.tools else {"parallel_tool_calls": True})}


@fault("only the first of two calls is yielded", TWO)
class FirstCall(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        found = 0
        async with aclosing(super().generate(request)) as events:
            async for event in events:
                found += isinstance(event, ToolCall)
                if not isinstance(event, ToolCall) or found == 1:
                    yield event


@fault("two calls have the same id", TWO)
class SameId(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        return [replace(event, id="call")] if isinstance(event, ToolCall) else [event]


@fault("an answer that ends with calls ends with `other`", TWO)
class OtherEnd(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        has_calls = False
        async with aclosing(super().generate(request)) as events:
            async for event in events:
                has_calls = has_calls or isinstance(event, ToolCall)
                yield replace(event, reason="other") if has_calls and isinstance(event, Finished) else event


@fault("the text before calls is lost", BEFORE)
class NoTextBefore(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        async with aclosing(super().generate(request)) as events:
            heard = [event async for event in events]
        has_calls = any(isinstance(event, ToolCall) for event in heard)
        for event in heard:
            if not (has_calls and isinstance(event, TextDelta)):
                yield event


@fault("fragments of calls are joined as they come", "test_every_form_of_calls_is_read")
class Unsorted(Good):
    class reader(GoodReader):  # noqa: N801  the name of the attribute
        def __init__(self) -> None:
            super().__init__()
            self.tool_calls = ByOrder()


class ByOrder(ToolCallReader):
    def take(self, fragments: Json) -> Iterator[ToolCallDelta]:
        given: Any = fragments
        return super().take([{key: value for key, value in each.items() if key != "index"} for each in given or ()])


@fault("calls in a whole document are not read", "test_calls_with_deviations_are_read")
class NoWholeCalls(Good):
    class reader(GoodReader):  # noqa: N801  the name of the attribute
        def _read_choice(self, choice: JsonObject) -> Iterator[StreamEvent]:
            message: Any = choice.get("message") or {}
            lost = {key: value for key, value in message.items() if key != "tool_calls"}
            return super()._read_choice({**choice, "message": lost} if message else choice)


@fault("calls count only with the finish reason `tool_calls`", "test_the_usual_end_may_be_missing")
class ByReason(Good):
    class reader(GoodReader):  # noqa: N801  the name of the attribute
        def calls(self) -> Iterator[ToolCall]:
            yield from super().calls() if self.finish_reason == "tool_calls" else ()


@fault("a call that is cut off ends with `stop`", "test_a_cut_off_call_is_told_as_such")
class CutOff(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        has_calls = False
        async with aclosing(super().generate(request)) as events:
            async for event in events:
                has_calls = has_calls or isinstance(event, ToolCall)
                yield replace(event, reason="stop") if has_calls and isinstance(event, Finished) else event


@fault("calls are yielded before the answer is complete", "test_calls_without_an_end_are_not_made")
class TooEarly(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        written: dict[str, str] = {}
        async with aclosing(super().generate(request)) as events:
            async for event in events:
                if isinstance(event, ToolCallDelta):
                    written[event.name] = written.get(event.name, "") + event.arguments
                    if written[event.name].endswith("}"):
                        yield ToolCall(f"call-{event.name}", event.name, written[event.name])
                elif not isinstance(event, ToolCall):
                    yield event


@fault("invalid arguments become an empty object", "test_invalid_arguments_are_passed_on")
class MendedArguments(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        if isinstance(event, ToolCall) and not event.arguments.endswith("}"):
            return [replace(event, arguments="{}")]
        return [event]


@fault("a delta names another tool", "test_deltas_are_those_of_the_calls")
class WrongDelta(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        return [replace(event, name="tool")] if isinstance(event, ToolCallDelta) else [event]


@fault("refused tools are an error like any other", "test_refused_tools_are_told_as_such")
class PlainRefusal(Good):
    def explain(self, failure: Failure) -> Exception:
        error = explain(failure)
        return ProviderError(str(error)) if "Function Calling" in failure.message else error


@fault("tools are not counted", "test_tools_are_counted")
class UncountedTools(Good):
    async def count_tokens(self, request: ChatRequest) -> int | None:
        return len(request.system or "") + sum(len(message.text) for message in request.messages)


class Told(Good):
    """A provider whose messages are changed."""

    def told(self, message: ChatMessage) -> ChatMessage:
        return message

    def messages(self, message: ChatMessage, model: str) -> Sequence[Body]:
        return super().messages(self.told(message), model)


@fault("results are dropped, and their calls", ROUND)
class NoRounds(Told):
    def told(self, message: ChatMessage) -> ChatMessage:
        rest = tuple(part for part in message.parts if not isinstance(part, ToolCallPart | ToolResultPart))
        return replace(message, parts=rest or (TextPart("..."),))


@fault("results are given to each other's calls", ROUND)
class Mixed(Told):
    def told(self, message: ChatMessage) -> ChatMessage:
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        swapped = [replace(one, text=two.text) for one, two in zip(results, reversed(results), strict=True)]
        return replace(message, parts=tuple(swapped)) if len(results) == len(message.parts) else message


@fault("ids of other services are sent as they are", ROUND)
class ForeignIds(Good):
    def call_id(self, identifier: str) -> str:
        return identifier


@fault("a round with the same arguments is left out", "test_several_rounds_arrive")
class OnceOnly(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        rounds = [index for index, message in enumerate(request.messages) if len(message.parts) > 1]
        return replace(request, messages=request.messages[: rounds[2]]) if len(rounds) > 2 else request


@fault("the text of an answer with calls is dropped", "test_a_text_with_calls_arrives")
class NoTextOfCalls(Told):
    def told(self, message: ChatMessage) -> ChatMessage:
        calls = tuple(part for part in message.parts if isinstance(part, ToolCallPart))
        return replace(message, parts=calls or message.parts)


@fault("text after results is dropped", "test_words_after_results_arrive")
class NoTextAfter(Told):
    def told(self, message: ChatMessage) -> ChatMessage:
        results = tuple(part for part in message.parts if isinstance(part, ToolResultPart))
        return replace(message, parts=results or message.parts)


@fault("provider_data of an answer with calls is not sent", "test_the_own_answer_is_replayed")
class NoDataOfCalls(Told):
    def told(self, message: ChatMessage) -> ChatMessage:
        has_calls = any(isinstance(part, ToolCallPart) for part in message.parts)
        return replace(message, provider_data=None) if has_calls else message


@fault("calls without provider_data are refused", "test_an_answer_without_its_data_is_replayed")
class NeedsData(Good):
    def message(self, message: ChatMessage, model: str) -> Body:
        body = super().message(message, model)
        return body if (message.provider_data or {}).get("thought") else {**body, "reasoning_content": None}


@fault("is_error of a result is dropped", "test_an_error_is_told_as_such")
class NoError(Good):
    def result(self, result: ToolResultPart) -> Body:
        return super().result(replace(result, is_error=False))


@fault("an empty result is left out", "test_an_empty_result_is_accepted")
class NoEmpty(Told):
    def told(self, message: ChatMessage) -> ChatMessage:
        rest = tuple(part for part in message.parts if not isinstance(part, ToolResultPart) or part.text)
        return replace(message, parts=rest or (TextPart("..."),))


@fault("results are left out of the last request", "test_the_last_request_of_a_turn_is_accepted")
class NoLastResults(Asked):
    def asked(self, request: ChatRequest) -> ChatRequest:
        return replace(request, messages=request.messages[:-1]) if request.tool_choice == "none" else request


@fault("results are dropped without `supports_tools`", "test_results_are_not_dropped_without_supports_tools")
class Ignoring(Told):
    supports_tools = False

    async def _encode(self, request: ChatRequest) -> bytes:
        return await super()._encode(replace(request, tools=()))

    def told(self, message: ChatMessage) -> ChatMessage:
        return replace(message, parts=(TextPart(message.text or "..."),))
