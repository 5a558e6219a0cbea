"""The plugin in a bot: two tools at once, and their signature, through the database."""

from typing import Any

import tgllm_gemini.plugin
from model_tools.two_tools import HOURS, WEATHER, ask_with_tools
from tgllm.testing.fake_providers import FakeGemini


async def test_two_tools_are_called_at_once(emulator: Any, start_bot: Any, fake: FakeGemini) -> None:
    fake.call(WEATHER, HOURS, text="Let me look.", reasoning="Two things.")
    fake.call(HOURS, form="no ids")

    bodies = await ask_with_tools(
        emulator, start_bot, fake, tgllm_gemini.plugin, model="gemini/gemini-3.8-flash", key="GEMINI_API_KEY"
    )

    _, called, results, again, result = bodies[2]["contents"]
    assert [part.get("functionCall", {}).get("name") for part in called["parts"]] == [None, "weather", "hours"]
    assert ["thoughtSignature" in part for part in called["parts"]] == [False, True, False]
    told = [part["functionResponse"] for part in (*results["parts"], *result["parts"])]
    assert [each["name"] for each in told] == ["weather", "hours", "hours"]
    assert "{'city': 'Łódź'}" in told[0]["response"]["output"]
    assert again["parts"][0]["thoughtSignature"]
    # The next question has the text alone, as the rounds are over, with the signature of its end.
    said, end, proof = bodies[3]["contents"][1]["parts"]
    assert (said["text"].strip(), end, "thoughtSignature" in proof) == ("Let me look.", {"text": "It rains."}, True)
    assert "functionCall" not in str(bodies[3]["contents"])
