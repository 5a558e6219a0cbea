"""A turn with tools that begins with one provider, goes on with another, and ends with the first one again."""

from contextlib import AsyncExitStack
from itertools import pairwise
from typing import Any

import pytest

import tgllm_anthropic.plugin
import tgllm_dipseek.plugin
import tgllm_gemini.plugin
import tgllm_mistral.plugin
import tgllm_openai.plugin
from loop_support import Box
from tgllm.api import ToolCall
from tgllm.testing.fake_providers import FakeAnthropic, FakeDipseek, FakeGemini, FakeMistral, FakeOpenAI
from tgllm.testing.fixtures import emulator, start_bot
from tgllm.testing.scripted import GivenPlugin

__all__ = ["emulator", "start_bot"]

WEATHER, HOURS = ToolCall("", "weather", '{"city": "Łódź"}'), ToolCall("", "hours", "{}")
KNOWN: dict[str, Any] = {
    "anthropic": (tgllm_anthropic.plugin, FakeAnthropic, "ANTHROPIC", "claude-sonnet-5-5", "/messages"),
    "dipseek": (tgllm_dipseek.plugin, FakeDipseek, "DEEPSEEK", "deepseek-flash", "/completions"),
    "gemini": (tgllm_gemini.plugin, FakeGemini, "GEMINI", "gemini-3.8-flash", "streamGenerate"),
    "mistral": (tgllm_mistral.plugin, FakeMistral, "MISTRAL", "mistral-medium-3-5", "/completions"),
    "openai": (tgllm_openai.plugin, FakeOpenAI, "OPENAI", "gpt-4.1", "/completions"),
}
NAMES = (*KNOWN, next(iter(KNOWN)))
PAIRS = [pair for one, two in pairwise(NAMES) for pair in ((one, two), (two, one))]


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_the_other_provider_goes_on(emulator: Any, start_bot: Any, first: str, second: str) -> None:
    ann = emulator.add_user(first_name="Ann")
    box = Box()
    box.add("weather", schema={"type": "object", "properties": {"city": {"type": "string"}}})
    box.add("hours")
    async with AsyncExitStack() as stack:
        fakes: dict[str, Any] = {name: await stack.enter_async_context(KNOWN[name][1]()) for name in (first, second)}
        environ, plugins = dict[str, str](), [box.plugin]
        for name, fake in fakes.items():
            plugins.append(GivenPlugin.of(name, KNOWN[name][0]))
            environ |= {
                f"{KNOWN[name][2]}_API_KEY": fake.key,
                f"TGLLM_PLUGINS__{name.upper()}__BASE_URL": fake.base_url,
            }
            fake.fault(KNOWN[name][4], fake.errors.out_of_quota(), skip=1)
        fakes[first].call(WEATHER, HOURS, text="Let me look.")
        fakes[second].call(HOURS, text="Once more.")
        fakes[first].answer("It rains.")
        async with start_bot(
            admins=[ann.id],
            plugins=plugins,
            environ=environ,
            default_model=f"{first}/{KNOWN[first][3]}",
            fallbacks=f"{second}/{KNOWN[second][3]}",
        ):
            await ann.say("What is the weather?")
            answer = await emulator.wait_for_message(ann.private_chat(), lambda message: "It rains." in message.text)

    refused = fakes[first].errors.out_of_quota().status, fakes[second].errors.out_of_quota().status
    asked = {name: [r.status for r in fake.requests if KNOWN[name][4] in r.path] for name, fake in fakes.items()}
    assert sorted(box.made) == ["hours", "hours", "weather"]
    assert all(text in answer.text for text in ("Let me look.", "Once more.", "It rains."))
    assert asked == {first: [200, refused[0], 200], second: [200, refused[1]]}
