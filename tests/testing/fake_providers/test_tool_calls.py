"""Calls of tools of the fakes with OpenAI's format, judged by the vendors' own SDKs."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from mistralai.client import Mistral
from openai import AsyncOpenAI

from tgllm.api import ToolCall
from tgllm.testing.fake_providers import Answer, FakeDipseek, FakeMistral, FakeOpenAI
from tgllm.testing.fake_providers.base.openai_calls import CALL_FORMS, fragments

HELLO: list[Any] = [{"role": "user", "content": "What time is it?"}]
PARAMETERS: dict[str, Any] = {"type": "object", "properties": {"zone": {"type": "string"}}}
CALLS = (ToolCall("", "clock", '{"zone": "Europe/Berlin"}'), ToolCall("", "city", '{"name": "Łódź"}'))
MADE = [("clock", {"zone": "Europe/Berlin"}), ("city", {"name": "Łódź"})]


def tool(name: str = "clock", **changes: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": "d", "parameters": PARAMETERS, **changes}}


def call(identifier: str = "call_1", name: str = "clock", arguments: object = "{}") -> dict[str, Any]:
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


def asked(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def result(identifier: str = "call_1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": identifier, "content": "noon"}


TOOLS: list[Any] = [tool(), tool("city")]


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as server:
        yield server


@pytest.fixture
async def sdk(fake: FakeOpenAI) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=fake.key, base_url=fake.base_url, max_retries=0, timeout=10) as client:
        yield client


def made(message: Any) -> list[tuple[str, Any]]:
    return [(each.function.name, json.loads(each.function.arguments)) for each in message.tool_calls]


class TestOpenAI:
    @pytest.mark.parametrize("form", ["", "whole", "all in one chunk", "mixed", "empty pieces"])
    async def test_the_sdk_reads_streamed_calls(self, fake: FakeOpenAI, sdk: AsyncOpenAI, form: str) -> None:
        fake.call(*CALLS, text="I'll look.", form=form)

        async with sdk.chat.completions.stream(model="gpt-4.1", messages=HELLO, tools=TOOLS) as stream:
            completion: Any = await stream.get_final_completion()

        (choice,) = completion.choices
        assert (choice.finish_reason, choice.message.content) == ("tool_calls", "I'll look.")
        assert made(choice.message) == MADE
        assert len({each.id for each in choice.message.tool_calls}) == 2

    async def test_the_sdk_gives_the_results_back(self, fake: FakeOpenAI, sdk: AsyncOpenAI) -> None:
        fake.call(*CALLS)
        create: Any = sdk.chat.completions.create
        first = (await create(model="gpt-4.1", messages=HELLO, tools=TOOLS)).choices[0].message
        assert made(first) == MADE

        messages = [*HELLO, first.model_dump(exclude_none=True), *(result(each.id) for each in first.tool_calls)]
        answer = await create(model="gpt-4.1", messages=messages, tools=TOOLS, tool_choice="none")

        assert answer.choices[0].message.content == "What time is it?"

    @pytest.mark.parametrize(
        ("messages", "words"),
        [
            ([asked(call())], "must be followed by tool messages"),
            ([asked(call()), *HELLO], "must be followed by tool messages.*call_1"),
            ([asked(call(), call("call_2")), result()], "must be followed by tool messages.*call_2"),
            ([asked(call()), result(), result()], "must be a response"),
            ([result()], "must be a response"),
            ([asked(call("c" * 41)), result("c" * 41)], "string too long"),
            ([asked(call(name="no such.tool")), result()], "does not match pattern"),
            ([asked(call(name="n" * 65)), result()], "string too long"),
            ([asked(call(arguments={})), result()], "expected a string"),
            ([asked({"id": "call_1", "function": {}}), result()], "Missing required parameter"),
        ],
    )
    async def test_messages_are_checked(self, sdk: AsyncOpenAI, messages: list[Any], words: str) -> None:
        create: Any = sdk.chat.completions.create

        with pytest.raises(openai.BadRequestError, match=words):
            await create(model="gpt-4.1", messages=[*HELLO, *messages], tools=TOOLS)

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"tools": []}, "empty array"),
            ({"tools": [tool(), tool()]}, "unique"),
            ({"tools": [tool("no such tool")]}, "does not match pattern"),
            ({"tools": [tool(parameters={"type": "object"})]}, "missing properties"),
            ({"tools": [tool(parameters={"properties": {}})]}, "schema must be"),
            ({"tools": [tool(parameters={**PARAMETERS, "anyOf": []})]}, "at the top"),
            ({"tools": [tool(f"t{n}") for n in range(129)]}, "array too long"),
            ({"tools": TOOLS, "tool_choice": "any"}, "Supported values"),
            ({"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "x"}}}, "not found"),
            ({"tool_choice": "none"}, "only allowed when"),
            ({"parallel_tool_calls": False}, "only allowed when"),
        ],
    )
    async def test_tools_are_checked(self, sdk: AsyncOpenAI, fields: dict[str, Any], words: str) -> None:
        create: Any = sdk.chat.completions.create

        with pytest.raises(openai.BadRequestError, match=words):
            await create(model="gpt-4.1", messages=HELLO, **fields)

    async def test_newer_models_take_tools_without_reasoning_only(self, sdk: AsyncOpenAI) -> None:
        create: Any = sdk.chat.completions.create

        with pytest.raises(openai.BadRequestError, match="set reasoning_effort to 'none'"):
            await create(model="gpt-6-luna", messages=HELLO, tools=TOOLS)

        assert await create(model="gpt-6-luna", messages=HELLO, tools=TOOLS, reasoning_effort="none")

    async def test_a_model_without_tools(self, fake: FakeOpenAI, sdk: AsyncOpenAI) -> None:
        fake.refuses_tools = True
        create: Any = sdk.chat.completions.create

        with pytest.raises(openai.BadRequestError, match="not supported"):
            await create(model="gpt-4.1", messages=HELLO, tools=TOOLS)

        assert await create(model="gpt-4.1", messages=HELLO)


class TestMistral:
    async def test_the_sdk_reads_calls_and_gives_the_results_back(self) -> None:
        async with FakeMistral() as fake, Mistral(api_key=fake.key, server_url=fake.base_url) as sdk:
            complete: Any = sdk.chat.complete_async
            stream_of: Any = sdk.chat.stream_async
            fake.call(*CALLS)
            events = [
                event.data async for event in await stream_of(model="codestral-2508", messages=HELLO, tools=TOOLS)
            ]
            (streamed,) = [event for event in events if event.choices[0].delta.tool_calls]
            assert events[-1].choices[0].finish_reason == "tool_calls"
            assert made(streamed.choices[0].delta) == MADE

            fake.call(*CALLS)
            first = (await complete(model="codestral-2508", messages=HELLO, tools=TOOLS, tool_choice="any")).choices[0]
            assert made(first.message) == MADE
            messages = [*HELLO, first.message, *(result(each.id) for each in first.message.tool_calls)]
            answer = await complete(model="codestral-2508", messages=messages, tools=TOOLS)

        assert answer.choices[0].message.content == "What time is it?"


class TestDipseek:
    async def test_the_sdk_gives_reasoning_and_results_back(self) -> None:
        async with (
            FakeDipseek() as fake,
            AsyncOpenAI(api_key=fake.key, base_url=fake.base_url, max_retries=0) as sdk,
        ):
            create: Any = sdk.chat.completions.create
            fake.call(*CALLS, reasoning="Two things.")
            first = (await create(model="deepseek-flash", messages=HELLO, tools=TOOLS)).choices[0].message
            assert (made(first), first.reasoning_content) == (MADE, "Two things.")
            results = [result(each.id) for each in first.tool_calls]
            kept = first.model_dump(exclude_none=True)

            answer = await create(model="deepseek-flash", messages=[*HELLO, kept, *results], tools=TOOLS)

            assert answer.choices[0].message.content == "What time is it?"
            without = {key: value for key, value in kept.items() if key != "reasoning_content"}
            with pytest.raises(openai.BadRequestError, match="reasoning_content"):
                await create(model="deepseek-flash", messages=[*HELLO, without, *results])
            with pytest.raises(openai.BadRequestError, match="must be followed by tool messages"):
                await create(model="deepseek-flash", messages=[*HELLO, kept, *results[:1]])

    @pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "clock"}}])
    async def test_a_forced_call_needs_thinking_to_be_off(self, choice: Any) -> None:
        async with (
            FakeDipseek() as fake,
            AsyncOpenAI(api_key=fake.key, base_url=fake.base_url, max_retries=0) as sdk,
        ):
            create: Any = sdk.chat.completions.create
            ask: dict[str, Any] = {
                "model": "deepseek-flash",
                "messages": HELLO,
                "tools": TOOLS,
                "tool_choice": choice,
            }
            with pytest.raises(openai.BadRequestError, match="Thinking mode does not support this tool_choice"):
                await create(**ask)

            assert await create(**ask, extra_body={"thinking": {"type": "disabled"}})


def test_a_form_that_the_api_does_not_have() -> None:
    fake = FakeMistral()

    with pytest.raises(NotImplementedError, match="mixed"):
        fake.call(*CALLS, form="mixed")


def test_an_answer_with_calls_can_be_ordered_whole() -> None:
    answer = Answer(("a", *CALLS, "b"))

    assert (answer.text, answer.calls) == ("ab", CALLS)


@pytest.mark.parametrize("form", sorted(CALL_FORMS))
def test_every_form_has_a_chunk_of_each_call(form: str) -> None:
    names = [each["function"].get("name") for chunk in fragments(CALLS, form) for each in chunk]

    assert {*names} - {None} == {"clock", "city"}
