"""The plugin in a bot: two tools at once, with their reasoning, through the database."""

from typing import Any

import tgllm_dipseek.plugin
from model_tools.two_tools import HOURS, WEATHER, ask_with_tools, check_openai_rounds
from tgllm.testing.fake_providers import FakeDipseek


async def test_two_tools_are_called_at_once(emulator: Any, start_bot: Any, fake: FakeDipseek) -> None:
    fake.call(WEATHER, HOURS, text="Let me look.", reasoning="Two things.")
    fake.call(HOURS, reasoning="Once more.")

    bodies = await ask_with_tools(
        emulator, start_bot, fake, tgllm_dipseek.plugin, model="dipseek/deepseek-flash", key="DEEPSEEK_API_KEY"
    )

    rounds = check_openai_rounds(bodies)
    assert [each["reasoning_content"] for each in rounds] == ["Two things.", "Once more."]
