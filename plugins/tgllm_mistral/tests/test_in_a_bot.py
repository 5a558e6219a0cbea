"""The plugin in a bot: two tools at once, with their ids and their reasoning, through the database."""

from typing import Any

import tgllm_mistral.plugin
from model_tools.two_tools import HOURS, WEATHER, ask_with_tools, check_openai_rounds
from tgllm.testing.fake_providers import FakeMistral


async def test_two_tools_are_called_at_once(emulator: Any, start_bot: Any, fake: FakeMistral) -> None:
    fake.call(WEATHER, HOURS, text="Let me look.", reasoning="Two things.")
    fake.call(HOURS, reasoning="Once more.")

    bodies = await ask_with_tools(
        emulator, start_bot, fake, tgllm_mistral.plugin, model="mistral/mistral-medium-3-5", key="MISTRAL_API_KEY"
    )

    called, again = check_openai_rounds(bodies)
    assert "Two things." in str(called["content"])
    assert "Once more." in str(again["content"])
