"""The plugin in a bot: reasoning, its signature and its cost, and two tools at once, through the database."""

from typing import Any

import tgllm_anthropic.plugin
from model_tools.two_tools import HOURS, WEATHER, ask_with_tools
from tgllm.api import Usage
from tgllm.testing.fake_providers import FakeAnthropic
from tgllm.testing.scripted import GivenPlugin


async def test_the_next_question_sends_the_reasoning_back(emulator: Any, start_bot: Any, fake: FakeAnthropic) -> None:
    ann = emulator.add_user(first_name="Ann")
    plugin = GivenPlugin.of("anthropic", tgllm_anthropic.plugin)
    environ = {"ANTHROPIC_API_KEY": fake.key, "TGLLM_PLUGINS__ANTHROPIC__BASE_URL": fake.base_url}
    fake.answer("It is four.", reasoning="Two and two.", usage=Usage(1_000_000, 100_000, 20_000, 900_000))
    async with start_bot(
        admins=[ann.id], plugins=[plugin], environ=environ, default_model="anthropic/claude-sonnet-5-5"
    ):
        first = await emulator.wait_for_answer(await ann.say("What is 2 + 2?"))
        second = await emulator.wait_for_answer(await ann.say("Really?"))
        spent = await emulator.wait_for_answer(await ann.say("/usage"))

    body: Any = [request.body for request in fake.requests if request.path.endswith("/messages")][-1]
    (thought, _), *_ = [each["content"] for each in body["messages"] if each["role"] == "assistant"]
    assert (first.text.splitlines()[-1], second.text) == ("It is four.", "Really?")
    assert (thought["thinking"], fake.signatures.knows(thought["signature"], "Two and two.", "claude-sonnet-5-5")) == (
        "Two and two.",
        True,
    )
    # 100,000 tokens at 2 dollars a million, 900,000 at 0.1 and 100,000 of output at 10.
    assert "1.29" in spent.text


async def test_two_tools_are_called_at_once(emulator: Any, start_bot: Any, fake: FakeAnthropic) -> None:
    fake.call(WEATHER, HOURS, text="Let me look.", reasoning="Two things.")
    fake.call(HOURS, reasoning="Once more.")

    bodies = await ask_with_tools(
        emulator,
        start_bot,
        fake,
        tgllm_anthropic.plugin,
        model="anthropic/claude-sonnet-5-5",
        key="ANTHROPIC_API_KEY",
    )

    _, called, results, again, result = bodies[2]["messages"]
    assert [block["type"] for block in called["content"]] == ["thinking", "text", "tool_use", "tool_use"]
    assert again["content"][0]["thinking"] == "Once more."
    assert [block["tool_use_id"] for block in results["content"]] == [each["id"] for each in called["content"][2:]]
    assert "{'city': 'Łódź'}" in results["content"][0]["content"]
    assert result["content"][0]["tool_use_id"] == again["content"][1]["id"]
    # The next question has the text alone: the rounds are over.
    assert "tool_use" not in str(bodies[3]["messages"])
