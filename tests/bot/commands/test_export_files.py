"""``/export files`` sends the conversation with its files as a zip, which refers to what is in it."""

import asyncio
import io
import json
import re
import zipfile

import pytest

from bot_support import Ask, Start, from_bot, settled
from made_files.picture_support import png
from tgllm.api import FileDelta
from tgllm.services.personal_data import export_bundle
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator
from tgllm.testing.scripted import ScriptedProvider

PICTURE = FileDelta(png(), "image/png")
FILES = [
    FileDelta(b"a,b\n", "text/csv", "data.csv"),
    FileDelta(b"c,d\n", "text/csv", "../DATA.csv"),
    FileDelta(b"x" * 5000, "text/plain", "long](x).txt"),
]


def zips(person: EmulatedUser) -> list[EmulatedMessage]:
    return [
        message
        for message in from_bot(person.private_chat())
        if message.file is not None and str(message.file.name).endswith(".zip")
    ]


def opened(message: EmulatedMessage) -> dict[str, bytes]:
    assert message.file is not None
    with zipfile.ZipFile(io.BytesIO(message.file.content)) as bundle:
        assert bundle.testzip() is None
        return {name: bundle.read(name) for name in bundle.namelist()}


async def drawn(emu: Emulator, ann: EmulatedUser, bot: RunningBot) -> None:
    await ann.say("Draw")
    await emu.wait_for_message(ann.private_chat(), lambda message: "Regenerate" in message.labels)
    await settled(emu, bot)


@pytest.mark.parametrize("how", ["command", "button"])
async def test_the_zip_holds_the_conversation_and_its_files(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, how: str
) -> None:
    provider.answer("Here:", PICTURE, *FILES)
    async with start(sending__paced=False) as bot:
        await drawn(emu, ann, bot)
        if how == "button":
            asked = await ann.say("/export")
            ready = await emu.wait_for_message(
                ann.private_chat(), lambda message: message.labels == ["With files"], after=asked
            )
            await asyncio.gather(*(ann.press(ready, "With files") for _ in range(3)))
        else:
            await ann.say("/export files")
        await emu.wait_for(lambda: zips(ann))
        await settled(emu, bot)
        exports = bot.core.config.data_dir / "files" / "exports"
        await emu.wait_for(lambda: not list(exports.iterdir()))
    (message,) = zips(ann)
    assert message.text == "This conversation with 4 files."
    entries = opened(message)
    assert entries.keys() == {
        "conversation.md",
        "conversation.json",
        "files/picture.png",
        "files/data.csv",
        "files/DATA-2.csv",
        "files/long](x).txt",
    }
    assert entries["files/picture.png"] == PICTURE.content
    assert entries["files/DATA-2.csv"] == b"c,d\n"
    said = json.loads(entries["conversation.json"])["messages"]
    assert [part["file"] for part in said[-1]["attachments"]] == [
        "files/picture.png",
        "files/data.csv",
        "files/DATA-2.csv",
        "files/long](x).txt",
    ]
    places = re.findall(r"\]\(<([^>]+)>\)", entries["conversation.md"].decode())
    assert set(places) == {name for name in entries if name.startswith("files/")}


async def test_what_does_not_fit_is_named(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_bundle, "MOST_BUNDLE_BYTES", 14_000)
    provider.answer("Here:", FileDelta(b"x" * 9000, "text/plain", "large.txt"), FileDelta(b"y", "text/plain", "y.txt"))
    async with start(sending__paced=False) as bot:
        await drawn(emu, ann, bot)
        await ann.say("/export files")
        await emu.wait_for(lambda: zips(ann))
        await settled(emu, bot)
    entries = opened(zips(ann)[0])
    assert entries.keys() == {"conversation.md", "conversation.json", "files/y.txt"}
    assert len(zips(ann)[0].file.content) <= 14_000  # type: ignore[union-attr]  a zip is a file
    assert from_bot(ann.private_chat())[-1].text.endswith("not stored any more: large.txt")
    assert "Attached, but not included: large.txt" in entries["conversation.md"].decode()
    assert json.loads(entries["conversation.json"])["messages"][-1]["attachments"][0]["file"] is None


async def test_a_file_that_is_gone_is_named(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Here:", PICTURE)
    async with start() as bot:
        await drawn(emu, ann, bot)
        for blob in (bot.core.config.data_dir / "files").iterdir():
            if blob.is_file():
                blob.unlink()
        await ann.say("/export files")
        await emu.wait_for(lambda: zips(ann))
        await settled(emu, bot)
    assert opened(zips(ann)[0]).keys() == {"conversation.md", "conversation.json"}
    assert "picture.png" in from_bot(ann.private_chat())[-1].text


async def test_without_files_there_is_no_button(ask: Ask, emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start() as bot:
        await ask("one")
        await ann.say("/export")
        await settled(emu, bot)
        assert not from_bot(ann.private_chat())[-1].labels
        assert (await ask("/export everything")).text.startswith("Send /export for this conversation")
