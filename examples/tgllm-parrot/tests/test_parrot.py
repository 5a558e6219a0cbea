"""The parrot in the real bot, with an emulated Telegram."""

from typing import TYPE_CHECKING

import tgllm_parrot
from tgllm.testing.scripted import GivenPlugin

if TYPE_CHECKING:
    from tgllm.testing.emulator import Emulator
    from tgllm.testing.fixtures import StartBot

PARROT = GivenPlugin.of("parrot", tgllm_parrot)


async def test_the_parrot_says_it_again(emulator: "Emulator", start_bot: "StartBot") -> None:
    ann = emulator.add_user(first_name="Ann")
    async with start_bot(admins=[ann.id], plugins=[PARROT]) as bot:
        assert (await bot.talk.say(ann, "/parrot Pretty Polly")).text == "Pretty Polly"
        assert (await bot.talk.say(ann, "/parrot")).text == "Say what? Write /parrot and a text."
