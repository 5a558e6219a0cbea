"""Files on their whole way: from a person in Telegram to a provider's API over HTTP, byte for byte."""

import base64
import binascii
import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from made_files.pdf_support import lines, pdf
from made_files.picture_support import png
from program_support import PATIENCE, Launch, Program
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.fake_providers import FakeGemini, FakeServer

pytestmark = pytest.mark.timeout(300)

PICTURE = png(6, 5)
REPORT = pdf([lines("Tea is grown in Assam.")])
OGG = b"OggS\x00\x02" + b"\x00" * 20 + b"\x01\x1eOpusHead" + b"\x00" * 60


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def strings(value: Any) -> Iterator[str]:
    """All texts of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def received(fake: FakeServer) -> set[str]:
    """SHA-256 of all that the last question has in base64."""
    found: set[str] = set()
    for text in strings(fake.requests[-1].body):
        # Google's SDK writes the alphabet for URLs.
        encoded = (text.partition(";base64,")[2] or text).replace("-", "+").replace("_", "/")
        try:
            found.add(sha(base64.b64decode(encoded, validate=True)))
        except (binascii.Error, ValueError):
            continue
    return found


async def launched(launch: Launch, ann: EmulatedUser, fake: FakeServer, api: Any, **more: str) -> Program:
    """The bot, once it knows which files its model takes."""
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), **api.settings(fake), **more)
    await bot.printed("models.synced")
    return bot


def wanted(api: Any) -> list[dict[str, Any]]:
    picture = {"content": PICTURE, "name": "tea.png", "mime": "image/png"}
    report = {"content": REPORT, "name": "report.pdf", "mime": "application/pdf"}
    voice = {"content": OGG, "name": "a.oga", "mime": "audio/ogg", "kind": "voice"}
    return {"gemini": [picture, report, voice], "mistral": [picture, report], "dipseek": [picture]}[api.provider]


async def test_a_provider_gets_the_bytes_that_the_person_has_sent(
    emu: Emulator, ann: EmulatedUser, fake: FakeServer, api: Any, launch: Launch
) -> None:
    bot = await launched(launch, ann, fake, api)
    for number, each in enumerate(wanted(api)):
        fake.answer(f"Answer {number}.")
        sent = await ann.upload(**each, caption="What is it?")
        await emu.wait_for_message(
            ann.private_chat(), lambda message, n=number: message.text == f"Answer {n}.", after=sent, timeout=PATIENCE
        )
        assert sha(each["content"]) in received(fake), each["name"]
        assert emu.token not in str(fake.requests[-1].body)
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()
    assert code == 0, printed
    assert emu.token not in printed


async def test_gemini_gets_a_large_file_by_its_files_api(
    emu: Emulator, ann: EmulatedUser, launch: Launch, stored: Any
) -> None:
    large = REPORT + b"\n%" + os.urandom(20_100_000)
    async with FakeGemini() as fake:
        bot = await launch(
            "run",
            TGLLM_ADMIN_IDS=str(ann.id),
            GEMINI_API_KEY=fake.key,
            TGLLM_PLUGINS__GEMINI__BASE_URL=fake.base_url,
            TGLLM_DEFAULT_MODEL="gemini/gemini-3.8-flash",
        )
        await bot.printed("models.synced")
        fake.answer("Tea.")
        await ann.upload(large, name="report.pdf", mime="application/pdf", caption="What is it?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Tea.", timeout=PATIENCE)
        (file,) = fake.files.files.values()
        assert (file.digest, file.mime_type) == (sha(large), "application/pdf")
        assert f"files/{file.id}" in str(fake.requests[-1].body)
        (row,) = await stored("SELECT sha256, size FROM files")
        assert (row["sha256"], row["size"]) == (sha(large), len(large))
        bot.send(signal.SIGTERM)
        assert (await bot.end())[0] == 0
        # What is uploaded does not stay at the provider.
        assert not fake.files.files


READER = """
import pathlib
import time

from tgllm import hookimpl
from tgllm.api import Extracted, FileHandler, PluginInfo

FOLDER = pathlib.Path({folder!r})


def extract(path, limits):
    (FOLDER / "reading").touch()
    while not (FOLDER / "go").exists():
        time.sleep(0.01)
    return Extracted(path.read_text())


@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="slow", title="Slow", api="1.0")


@hookimpl
def tgllm_file_handlers(ctx):
    return [FileHandler("slow", frozenset({{"text/plain"}}), extract)]
"""


@pytest.mark.once
async def test_a_kill_while_a_file_is_uploaded_to_the_provider_loses_nothing(
    emu: Emulator, ann: EmulatedUser, launch: Launch
) -> None:
    large = REPORT + b"\n%" + os.urandom(20_100_000)
    async with FakeGemini() as fake:
        settings = {
            "TGLLM_ADMIN_IDS": str(ann.id),
            "GEMINI_API_KEY": fake.key,
            "TGLLM_PLUGINS__GEMINI__BASE_URL": fake.base_url,
            "TGLLM_DEFAULT_MODEL": "gemini/gemini-3.8-flash",
        }
        fake.files.processing_polls = 1_000_000
        bot = await launch("run", **settings)
        await bot.printed("models.synced")
        await ann.upload(large, name="report.pdf", mime="application/pdf", caption="What is it?")
        await emu.wait_for(lambda: fake.files.files, timeout=PATIENCE)
        bot.send(signal.SIGKILL)
        await bot.end()

        fake.files.processing_polls = 1
        fake.answer("Tea.")
        bot = await launch("run", **settings)
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Tea.", timeout=PATIENCE)
        bot.send(signal.SIGTERM)
        assert (await bot.end())[0] == 0
    (asked,) = [request for request in fake.requests if "streamGenerateContent" in request.path]
    assert [text for text in strings(asked.body) if "/files/" in text] == [f"{fake.base_url}/v1beta/files/fake2"]
    assert ann.private_chat().bot_texts.count("Tea.") == 1
    assert len(emu.downloads) == 1


@pytest.mark.once
async def test_a_kill_while_a_file_is_read_loses_nothing(
    emu: Emulator, ann: EmulatedUser, launch: Launch, install_plugin: Callable[[str, str], str], tmp_path: Path
) -> None:
    folder = tmp_path / "marks"
    folder.mkdir()
    site = install_plugin("slow", READER.format(folder=str(folder)))
    settings = {"TGLLM_ADMIN_IDS": str(ann.id), "PYTHONPATH": site}
    bot = await launch("run", **settings)
    await ann.upload(b"The boat sails at nine.", name="plan.txt", mime="text/plain", caption="When?")
    await emu.wait_for((folder / "reading").exists, timeout=PATIENCE)
    bot.send(signal.SIGKILL)
    await bot.end()

    (folder / "go").touch()
    bot = await launch("run", **settings)
    chat = ann.private_chat()
    await emu.wait_for_message(
        chat, lambda message: message.from_bot and "The boat sails at nine." in message.text, timeout=PATIENCE
    )
    bot.send(signal.SIGTERM)
    assert (await bot.end())[0] == 0
    assert sum("The boat sails at nine." in text for text in chat.bot_texts) == 1
    assert len(emu.downloads) == 1
