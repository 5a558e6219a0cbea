"""The plugin in a bot: two tools at once, through the database, and models that take no tools."""

from typing import Any

import pytest

import tgllm_openai.plugin
from loop_support import Box
from tgllm.api import ToolCall
from tgllm.testing.fake_providers import FakeOpenAI
from tgllm.testing.scripted import GivenPlugin

WEATHER, HOURS = ToolCall("", "weather", '{"city": "Łódź"}'), ToolCall("", "hours", "")


@pytest.fixture
def box() -> Box:
    box = Box()
    box.add("weather", schema={"type": "object", "properties": {"city": {"type": "string"}}})
    box.add("hours")
    return box


def plugins(box: Box) -> list[GivenPlugin]:
    return [GivenPlugin.of("openai", tgllm_openai.plugin), box.plugin]


def environ(fake: FakeOpenAI) -> dict[str, str]:
    return {"OPENAI_API_KEY": fake.key, "TGLLM_PLUGINS__OPENAI__BASE_URL": fake.base_url}


def asked(fake: FakeOpenAI) -> list[Any]:
    return [request.body for request in fake.requests if request.path.endswith("/completions")]


@pytest.mark.parametrize("dialect", ["openai"])
@pytest.mark.parametrize("form", ["", "mixed"])
async def test_two_tools_are_called_at_once(
    emulator: Any, start_bot: Any, fake: FakeOpenAI, box: Box, form: str
) -> None:
    ann = emulator.add_user(first_name="Ann")
    fake.call(WEATHER, HOURS, text="Let me look.", form=form)
    fake.call(HOURS, finish="stop")
    fake.answer("It rains.")
    async with start_bot(admins=[ann.id], plugins=plugins(box), environ=environ(fake), default_model="openai/gpt-4.1"):
        first = await emulator.wait_for_answer(await ann.say("What is the weather?"))
        second = await emulator.wait_for_answer(await ann.say("Really?"))

    *_, last, later = asked(fake)
    _, called, *results, again, result = [each for each in last["messages"] if each["role"] != "system"]
    assert ("Let me look." in first.text, "It rains." in first.text, second.text) == (True, True, "Really?")
    assert sorted(box.made) == ["hours", "hours", "weather"]
    assert [each["function"]["name"] for each in called["tool_calls"]] == ["weather", "hours"]
    assert [each["tool_call_id"] for each in results] == [each["id"] for each in called["tool_calls"]]
    assert "{'city': 'Łódź'}" in results[0]["content"]
    assert result["tool_call_id"] == again["tool_calls"][0]["id"]
    # The next question has the text alone: the rounds are over.
    assert "tool_calls" not in str(later["messages"])
    assert {request.status for request in fake.requests} == {200}


@pytest.mark.parametrize("dialect", ["openai"])
async def test_a_model_that_reasons_is_asked_without_reasoning(
    emulator: Any, start_bot: Any, fake: FakeOpenAI, box: Box
) -> None:
    ann = emulator.add_user(first_name="Ann")
    fake.call(HOURS)
    fake.answer("It is late.")
    async with start_bot(
        admins=[ann.id], plugins=plugins(box), environ=environ(fake), default_model="openai/gpt-6-luna"
    ):
        answer = await emulator.wait_for_answer(await ann.say("How late is it?"))

    assert "It is late." in answer.text
    assert box.made == ["hours"]
    assert [body.get("reasoning_effort") for body in asked(fake)] == [None, "none", "none"]


@pytest.mark.parametrize("dialect", ["openai"])
async def test_a_model_without_tools_answers_without_them(
    emulator: Any, start_bot: Any, fake: FakeOpenAI, box: Box
) -> None:
    ann = emulator.add_user(first_name="Ann")
    fake.refuses_tools = True
    async with start_bot(admins=[ann.id], plugins=plugins(box), environ=environ(fake), default_model="openai/gpt-4.1"):
        texts = [(await emulator.wait_for_answer(await ann.say(text))).text for text in ("Hello", "And now?")]

    assert texts == ["Hello", "And now?"]
    assert ["tools" in body for body in asked(fake)] == [True, False, False]
