"""The models of llm's plugins in the real bot."""

from typing import TYPE_CHECKING

import pytest

from local_llm.models import LocalPlugin
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.scripted import GivenPlugin
from tgllm_llm import plugin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LLM = GivenPlugin.of("llm", plugin)


@pytest.fixture
async def emu() -> "AsyncIterator[Emulator]":
    async with Emulator() as emulator:
        yield emulator


async def test_a_model_answers_in_a_bot_and_knows_the_conversation(
    emu: Emulator, tmp_path: "Path", local: LocalPlugin
) -> None:
    ann = emu.add_user(first_name="Ann")
    async with running_bot(emu, tmp_path, admins=[ann.id], plugins=[LLM], default_model="llm/sync") as bot:
        assert (await bot.talk.say(ann, "Good morning")).text == "Good morning"
        assert (await bot.talk.say(ann, "And now?")).text == "And now?"
    texts = [part.text for message in local.prompts[-1].messages for part in message.parts]
    assert texts[-3:] == ["Good morning", "Good morning", "And now?"]


async def test_a_model_without_its_key_says_what_to_set(
    emu: Emulator, tmp_path: "Path", local: LocalPlugin, own_folder: "Path"
) -> None:
    ann = emu.add_user(first_name="Ann")
    async with running_bot(
        emu,
        tmp_path,
        admins=[ann.id],
        plugins=[LLM],
        default_model="llm/keyed",
        plugins__llm__models=["keyed"],
    ) as bot:
        answer = await bot.talk.say(ann, "Hello")
    assert "its key is missing" in answer.text
    assert not list(own_folder.rglob("*.db"))
