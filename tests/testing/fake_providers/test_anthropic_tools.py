"""Tools of the fake of Anthropic's API, judged by the Anthropic SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tgllm.api.events import ToolCall
from tgllm.testing.fake_providers import FakeAnthropic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anthropic import AsyncAnthropic

MODEL, OLDER = "claude-sonnet-5-5", "claude-haiku-4-5-20251001"
TOOLS: list[Any] = [
    {"name": "weather", "description": "Tells the weather.", "input_schema": {"type": "object", "properties": {}}}
]
NOTHING: dict[str, Any] = {}
QUESTION: Any = {"role": "user", "content": "What is the weather?"}
USE: Any = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
OTHER: Any = {**USE, "id": "toolu_2"}
RESULT: Any = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"}
WEATHER = ToolCall("", "weather", '{"city": "Łódź"}')


@pytest.fixture
async def fake() -> AsyncIterator[FakeAnthropic]:
    async with FakeAnthropic() as server:
        yield server


@pytest.fixture
async def sdk(fake: FakeAnthropic) -> AsyncIterator[AsyncAnthropic]:
    import anthropic  # noqa: PLC0415  takes two seconds, which only the tests that need it shall spend

    async with anthropic.AsyncAnthropic(api_key=fake.key, base_url=fake.base_url, max_retries=0, timeout=10) as client:
        yield client


async def streamed(sdk: AsyncAnthropic, *messages: Any, **more: Any) -> Any:
    fields: dict[str, Any] = {"model": MODEL, "max_tokens": 4096, "tools": TOOLS, **more}
    async with sdk.messages.stream(messages=[QUESTION, *messages], **fields) as stream:
        return await stream.get_final_message()


async def refused(sdk: AsyncAnthropic, *messages: Any, **more: Any) -> str:
    import anthropic  # noqa: PLC0415  takes two seconds, which only the tests that need it shall spend

    with pytest.raises(anthropic.BadRequestError) as caught:
        await streamed(sdk, *messages, **more)
    return str(caught.value)


def answer(*blocks: Any) -> Any:
    return {"role": "assistant", "content": [*blocks]}


def results(*blocks: Any) -> Any:
    return {"role": "user", "content": [*blocks]}


@pytest.mark.parametrize("form", ["", *sorted(FakeAnthropic.call_forms - {"one index"})])
async def test_the_sdk_puts_calls_together(fake: FakeAnthropic, sdk: AsyncAnthropic, form: str) -> None:
    fake.call(WEATHER, ToolCall("", "weather", ""), text="Let me look.", reasoning="Hm.", form=form)
    message = await streamed(sdk)

    assert message.stop_reason == "tool_use"
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert [block.input for block in message.content[2:]] == [{"city": "Łódź"}, {}]

    told = [{**RESULT, "tool_use_id": block.id} for block in message.content[2:]]
    later = await streamed(sdk, {"role": "assistant", "content": message.content}, results(*told))
    assert later.stop_reason == "end_turn"


async def test_without_streaming_it_is_the_same(fake: FakeAnthropic, sdk: AsyncAnthropic) -> None:
    fake.call(WEATHER)

    message: Any = await sdk.messages.create(model=MODEL, max_tokens=100, messages=[QUESTION], tools=TOOLS)

    assert [(block.type, block.input) for block in message.content] == [("tool_use", {"city": "Łódź"})]


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([answer(USE)], "`tool_use` ids were found without `tool_result` blocks immediately after: toolu_1"),
        ([answer(USE), results({"type": "text", "text": "And?"})], "without `tool_result` blocks immediately after"),
        ([answer(USE), results({"type": "text", "text": "And?"}, RESULT)], "immediately after: toolu_1"),
        ([answer(USE, OTHER), results(RESULT)], "immediately after: toolu_2"),
        ([answer(USE), results(RESULT, RESULT)], "must have a single result"),
        ([results(RESULT)], "unexpected `tool_use_id` found in `tool_result` blocks: toolu_1"),
        ([answer(USE), results(RESULT), answer(USE), results(RESULT)], "`tool_use` ids must be unique"),
        ([answer({**USE, "id": "a b"}), results({**RESULT, "tool_use_id": "a b"})], "should match pattern"),
        ([answer({**USE, "name": "a.b"}), results(RESULT)], "should match pattern"),
        ([results(USE)], "`tool_use` blocks can only be in `assistant` messages"),
    ],
)
async def test_calls_and_results_that_don_t_fit(sdk: AsyncAnthropic, messages: list[Any], words: str) -> None:
    assert words in await refused(sdk, *messages, model=OLDER)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tools": [{**TOOLS[0], "name": "a b"}]}, "tools.0.name: String should match pattern"),
        ({"tools": [{**TOOLS[0], "input_schema": NOTHING}]}, "tools.0.input_schema.type: Field required"),
        ({"tools": [{**TOOLS[0], "parameters": NOTHING}]}, "tools.0.parameters: Extra inputs are not permitted"),
        ({"tools": TOOLS * 2}, "Tool names must be unique"),
        ({"tools": [], "tool_choice": {"type": "auto"}}, "may only be specified while providing `tools`"),
        ({"tool_choice": {"type": "tool", "name": "clock"}, "model": OLDER}, "'clock' not found"),
        ({"tool_choice": {"type": "none", "disable_parallel_tool_use": True}}, "Extra inputs are not permitted"),
        ({"tool_choice": {"type": "any"}}, "Thinking may not be enabled when tool_choice forces tool use"),
        (
            {
                "tool_choice": {"type": "any"},
                "model": OLDER,
                "thinking": {"type": "enabled", "budget_tokens": 1024},
            },
            "Thinking may not be enabled when tool_choice forces tool use",
        ),
    ],
)
async def test_tools_and_choices_that_are_refused(sdk: AsyncAnthropic, fields: Any, words: str) -> None:
    assert words in await refused(sdk, **fields)


async def test_calls_need_their_tools(sdk: AsyncAnthropic) -> None:
    assert "must define tools" in await refused(sdk, answer(USE), results(RESULT), tools=[])


async def test_a_budget_of_reasoning_needs_the_reasoning_of_the_answer_in_progress(
    fake: FakeAnthropic, sdk: AsyncAnthropic
) -> None:
    thinks: dict[str, Any] = {"model": OLDER, "thinking": {"type": "enabled", "budget_tokens": 1024}}

    assert "Expected `thinking`" in await refused(sdk, answer(USE), results(RESULT), **thinks)

    fake.call(WEATHER, reasoning="Hm.")
    message = await streamed(sdk, **thinks)
    # The rounds after the first have no reasoning of their own.
    first = {"role": "assistant", "content": message.content}
    told = {**RESULT, "tool_use_id": message.content[1].id}
    assert await streamed(
        sdk, first, results(told), answer(OTHER), results({**RESULT, "tool_use_id": "toolu_2"}), **thinks
    )
    # A finished answer is none in progress.
    ended = (answer(USE), results(RESULT), answer({"type": "text", "text": "Rain."}), QUESTION)
    assert await streamed(sdk, *ended, **thinks)
