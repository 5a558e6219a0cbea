"""The plugin in a bot: two tools at once, and their signature, through the database."""

from typing import Any

import tgllm_gemini.plugin
from loop_support import Box
from tgllm.api import ToolCall
from tgllm.testing.fake_providers import FakeGemini
from tgllm.testing.scripted import GivenPlugin

WEATHER, HOURS = ToolCall("", "weather", '{"city": "Łódź"}'), ToolCall("", "hours", "{}")


async def test_two_tools_are_called_at_once(emulator: Any, start_bot: Any, fake: FakeGemini) -> None:
    ann = emulator.add_user(first_name="Ann")
    box = Box()
    box.add("weather", schema={"$schema": "x", "type": "object", "properties": {"city": {"type": "string"}}})
    box.add("hours")
    environ = {"GEMINI_API_KEY": fake.key, "TGLLM_PLUGINS__GEMINI__BASE_URL": fake.base_url}
    fake.call(WEATHER, HOURS, text="Let me look.", reasoning="Two things.")
    fake.call(HOURS, form="no ids")
    fake.answer("It rains.")
    async with start_bot(
        admins=[ann.id],
        plugins=[GivenPlugin.of("gemini", tgllm_gemini.plugin), box.plugin],
        environ=environ,
        default_model="gemini/gemini-3.8-flash",
    ):
        first = await emulator.wait_for_answer(await ann.say("What is the weather?"))
        second = await emulator.wait_for_answer(await ann.say("Really?"))

    asked: list[Any] = [request.body for request in fake.requests if "streamGenerate" in request.path]
    _, called, results, again, result = asked[2]["contents"]
    assert ("Let me look." in first.text, "It rains." in first.text, second.text) == (True, True, "Really?")
    assert sorted(box.made) == ["hours", "hours", "weather"]
    assert [part.get("functionCall", {}).get("name") for part in called["parts"]] == [None, "weather", "hours"]
    assert ["thoughtSignature" in part for part in called["parts"]] == [False, True, False]
    told = [part["functionResponse"] for part in (*results["parts"], *result["parts"])]
    assert [each["name"] for each in told] == ["weather", "hours", "hours"]
    assert "{'city': 'Łódź'}" in told[0]["response"]["output"]
    assert again["parts"][0]["thoughtSignature"]
    # The next question has the text alone, as the rounds are over, with the signature of its end.
    said, end, proof = asked[3]["contents"][1]["parts"]
    assert (said["text"].strip(), end, "thoughtSignature" in proof) == ("Let me look.", {"text": "It rains."}, True)
    assert "functionCall" not in str(asked[3]["contents"])
    assert {request.status for request in fake.requests} == {200}
