"""Pictures of a model, from the provider's API to the chat, with a kill -9 while they are sent."""

import signal

import pytest

from made_files.picture_support import png
from program_support import PATIENCE, Launch
from tgllm.api import FileDelta
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault
from tgllm.testing.fake_providers import FakeGemini

PICTURES = [FileDelta(png(4, 3 + number), "image/png") for number in range(3)]
MODEL = "gemini-3.1-flash-image"


def pictures(person: EmulatedUser) -> list[bytes]:
    return [
        message.file.content
        for message in person.private_chat().messages
        if message.from_bot and message.file is not None and message.fields.get("photo")
    ]


@pytest.mark.once
@pytest.mark.timeout(400)
@pytest.mark.parametrize("arrived", [False, True])
async def test_a_kill_while_pictures_are_sent_loses_and_doubles_none(
    emu: Emulator, ann: EmulatedUser, launch: Launch, arrived: bool
) -> None:
    async with FakeGemini() as fake:
        settings = {
            "TGLLM_ADMIN_IDS": str(ann.id),
            "GEMINI_API_KEY": fake.key,
            "TGLLM_PLUGINS__GEMINI__BASE_URL": fake.base_url,
            "TGLLM_DEFAULT_MODEL": f"gemini/{MODEL}",
        }
        fake.answer(["Here they are:", *PICTURES])
        # Never released: a held call that goes on after the kill would arrive late.
        emu.faults.add(Fault.hold("sendPhoto", after=arrived))
        await ann.say("Draw three")
        bot = await launch("run", **settings)
        await emu.wait_for(lambda: emu.journal.of("sendPhoto"), timeout=PATIENCE)
        if arrived:
            await emu.wait_for(lambda: pictures(ann), timeout=PATIENCE)
        bot.send(signal.SIGKILL)
        await bot.end()

        bot = await launch("run", **settings)
        await emu.wait_for(lambda: len(pictures(ann)) == len(PICTURES), timeout=PATIENCE)
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready", timeout=PATIENCE)

        assert sorted(pictures(ann)) == sorted(picture.content for picture in PICTURES)
        assert ann.private_chat().bot_texts.count("Here they are:") == 1
        asked = [request for request in fake.requests if "streamGenerateContent" in request.path]
        assert len(asked) == 1

        fake.answer("Done.")
        question = await ann.say("Now in blue")
        await emu.wait_for_message(
            ann.private_chat(), lambda message: message.text == "Done.", after=question, timeout=PATIENCE
        )
        (answer,) = [content for content in fake.requests[-1].body["contents"] if content["role"] == "model"]
        assert sum("inlineData" in part for part in answer["parts"]) == len(PICTURES)
        bot.send(signal.SIGTERM)
        assert (await bot.end())[0] == 0
