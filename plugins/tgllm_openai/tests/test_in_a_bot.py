"""The plugin in a bot: two tools at once, through the database, and models that take no tools."""

from typing import Any

import pytest

import tgllm_openai.plugin
from loop_support import Box
from model_tools.two_tools import HOURS, WEATHER, ask_with_tools, check_openai_rounds, two_tools
from tgllm.testing.fake_providers import FakeOpenAI
from tgllm.testing.scripted import GivenPlugin


@pytest.fixture
def box() -> Box:
    return two_tools()


def plugins(box: Box) -> list[GivenPlugin]:
    return [GivenPlugin.of("openai", tgllm_openai.plugin), box.plugin]


def environ(fake: FakeOpenAI) -> dict[str, str]:
    return {"OPENAI_API_KEY": fake.key, "TGLLM_PLUGINS__OPENAI__BASE_URL": fake.base_url}


def asked(fake: FakeOpenAI) -> list[Any]:
    return [request.body for request in fake.requests if request.path.endswith("/completions")]


@pytest.mark.parametrize("dialect", ["openai"])
@pytest.mark.parametrize("form", ["", "mixed"])
async def test_two_tools_are_called_at_once(emulator: Any, start_bot: Any, fake: FakeOpenAI, form: str) -> None:
    fake.call(WEATHER, HOURS, text="Let me look.", form=form)
    fake.call(HOURS, finish="stop")

    bodies = await ask_with_tools(
        emulator, start_bot, fake, tgllm_openai.plugin, model="openai/gpt-4.1", key="OPENAI_API_KEY"
    )

    check_openai_rounds(bodies)


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
