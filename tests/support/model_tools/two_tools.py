"""A bot whose model calls two tools at once, for tests of plugins with providers."""

from typing import Any

from loop_support import Box
from tgllm.api import ToolCall
from tgllm.testing.fake_providers.base.server import FakeServer
from tgllm.testing.scripted import GivenPlugin

__all__ = ["HOURS", "WEATHER", "ask_with_tools", "check_openai_rounds", "two_tools"]

WEATHER, HOURS = ToolCall("", "weather", '{"city": "Łódź"}'), ToolCall("", "hours", "")


def two_tools() -> Box:
    """Return a plugin with the tools of the calls."""
    box = Box()
    box.add("weather", schema={"$schema": "x", "type": "object", "properties": {"city": {"type": "string"}}})
    box.add("hours")
    return box


async def ask_with_tools(
    emulator: Any, start_bot: Any, fake: FakeServer, plugin: object, *, model: str, key: str
) -> list[Any]:
    """Ask a bot two questions, and return the bodies of the four requests to the model.

    The test has ordered two answers with calls: both tools with the text "Let me look.", then ``hours`` again.

    Args:
        emulator: the fixture.
        start_bot: the fixture.
        fake: the service.
        plugin: the module of the plugin.
        model: name of the model; it begins with the id of the plugin.
        key: name of the variable with the API key.
    """
    plugin_id = model.partition("/")[0]
    ann, box = emulator.add_user(first_name="Ann"), two_tools()
    environ = {key: fake.key, f"TGLLM_PLUGINS__{plugin_id.upper()}__BASE_URL": fake.base_url}
    fake.answer("It rains.")
    async with start_bot(
        admins=[ann.id],
        plugins=[GivenPlugin.of(plugin_id, plugin), box.plugin],
        environ=environ,
        default_model=model,
    ):
        first = await emulator.wait_for_answer(await ann.say("What is the weather?"))
        second = await emulator.wait_for_answer(await ann.say("Really?"))

    assert ("Let me look." in first.text, "It rains." in first.text, second.text) == (True, True, "Really?")
    assert sorted(box.made) == ["hours", "hours", "weather"]
    assert {request.status for request in fake.requests} == {200}
    bodies = [request.body for request in fake.requests if request.method == "POST"]
    assert len(bodies) == 4
    return bodies


def check_openai_rounds(bodies: list[Any]) -> tuple[Any, Any]:
    """Check calls and results in requests in OpenAI's format; return the two messages with calls."""
    _, called, *results, again, result = [each for each in bodies[2]["messages"] if each["role"] != "system"]
    assert [each["function"]["name"] for each in called["tool_calls"]] == ["weather", "hours"]
    assert [each["tool_call_id"] for each in results] == [each["id"] for each in called["tool_calls"]]
    assert "{'city': 'Łódź'}" in results[0]["content"]
    assert result["tool_call_id"] == again["tool_calls"][0]["id"]
    # The next question has the text alone: the rounds are over.
    assert "tool_calls" not in str(bodies[3]["messages"])
    return called, again
