"""The plugin in a bot: two tools at once, with their reasoning, through the database."""

from typing import Any

import tgllm_dipseek.plugin
from loop_support import Box
from tgllm.api import ToolCall
from tgllm.testing.fake_providers import FakeDipseek
from tgllm.testing.scripted import GivenPlugin

WEATHER, HOURS = ToolCall("", "weather", '{"city": "Łódź"}'), ToolCall("", "hours", "")


async def test_two_tools_are_called_at_once(emulator: Any, start_bot: Any, fake: FakeDipseek) -> None:
    ann = emulator.add_user(first_name="Ann")
    box = Box()
    box.add("weather", schema={"type": "object", "properties": {"city": {"type": "string"}}})
    box.add("hours")
    environ = {"DEEPSEEK_API_KEY": fake.key, "TGLLM_PLUGINS__DIPSEEK__BASE_URL": fake.base_url}
    fake.call(WEATHER, HOURS, text="Let me look.", reasoning="Two things.")
    fake.call(HOURS, reasoning="Once more.")
    fake.answer("It rains.")
    async with start_bot(
        admins=[ann.id],
        plugins=[GivenPlugin.of("dipseek", tgllm_dipseek.plugin), box.plugin],
        environ=environ,
        default_model="dipseek/deepseek-flash",
    ):
        first = await emulator.wait_for_answer(await ann.say("What is the weather?"))
        second = await emulator.wait_for_answer(await ann.say("Really?"))

    asked: list[Any] = [request.body for request in fake.requests if request.path.endswith("/completions")]
    _, called, *results, again, result = [each for each in asked[2]["messages"] if each["role"] != "system"]
    assert ("Let me look." in first.text, "It rains." in first.text, second.text) == (True, True, "Really?")
    assert sorted(box.made) == ["hours", "hours", "weather"]
    assert [each["function"]["name"] for each in called["tool_calls"]] == ["weather", "hours"]
    assert [each["tool_call_id"] for each in results] == [each["id"] for each in called["tool_calls"]]
    assert "{'city': 'Łódź'}" in results[0]["content"]
    assert result["tool_call_id"] == again["tool_calls"][0]["id"]
    assert [each["reasoning_content"] for each in (called, again)] == ["Two things.", "Once more."]
    # The next question has the text alone: the rounds are over.
    assert "tool_calls" not in str(asked[3]["messages"])
    assert {request.status for request in fake.requests} == {200}
