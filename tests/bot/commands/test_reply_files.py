"""Files in the replies of plugins' commands."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot_support import Start, from_bot, is_notice, settled
from made_files.picture_support import png
from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, OutgoingFile, PluginInfo, Reply
from tgllm.services.files.made import MOST_FILE_BYTES, MOST_FILES
from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator, Fault
from tgllm.testing.scripted import GivenPlugin


class Sender:
    """A plugin whose command returns what it was given."""

    def __init__(self, reply: Any) -> None:
        self.reply = reply

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="sender", title="Sender", api="1.0")

    @hookimpl
    def tgllm_commands(self) -> Sequence[ChatCommand]:
        return (ChatCommand("send", "Send files", self._send),)

    async def _send(self, call: CommandCall) -> Reply:
        return self.reply


def plugin(reply: Any) -> list[GivenPlugin]:
    return [GivenPlugin.of("sender", Sender(reply))]


def kind(message: EmulatedMessage) -> str:
    return next((kind for kind in ("photo", "document") if message.fields.get(kind)), "text")


def sent(person: EmulatedUser) -> list[tuple[str, str, bytes]]:
    return [
        (kind(message), message.file.name or "", message.file.content) if message.file else ("text", "", b"")
        for message in from_bot(person.private_chat())
    ]


@pytest.mark.parametrize("markdown", [True, False])
async def test_text_pictures_and_files_come_in_order(
    emu: Emulator, ann: EmulatedUser, start: Start, tmp_path: Path, markdown: bool
) -> None:
    (tmp_path / "source").write_bytes(b"a,b\n1,2\n")
    files = (
        OutgoingFile("plot.png", png(), "image/png"),
        OutgoingFile("table.csv", tmp_path / "source", "text/csv"),
    )
    async with start(plugins=plugin(Reply("Here.", markdown, files=files))) as bot:
        await ann.say("/send")
        await settled(emu, bot)
        exports = bot.core.config.data_dir / "files" / "exports"
        await emu.wait_for(lambda: not list(exports.iterdir()))
    assert sent(ann) == [("text", "", b""), ("photo", "plot.png", png()), ("document", "table.csv", b"a,b\n1,2\n")]
    assert (tmp_path / "source").exists()


async def test_files_without_text(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start(plugins=plugin(Reply("", files=(OutgoingFile("a.txt", b"a"),)))) as bot:
        await ann.say("/send")
        await settled(emu, bot)
    assert sent(ann) == [("document", "a.txt", b"a")]


async def test_a_file_is_copied_before_it_is_sent(
    emu: Emulator, ann: EmulatedUser, start: Start, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"before")
    held = emu.faults.add(Fault.hold("sendDocument"))
    async with start(plugins=plugin(Reply("", files=(OutgoingFile("a.txt", source),)))) as bot:
        await ann.say("/send")
        await emu.wait_for(lambda: emu.journal.of("sendDocument"))
        source.unlink()
        held.release()
        await settled(emu, bot)
    assert sent(ann) == [("document", "a.txt", b"before")]


async def test_what_can_not_be_sent_is_named(emu: Emulator, ann: EmulatedUser, start: Start, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as large:
        large.truncate(MOST_FILE_BYTES + 1)
    os.mkfifo(tmp_path / "pipe")
    bad = [
        OutgoingFile("gone.txt", tmp_path / "gone"),
        OutgoingFile("large.bin", tmp_path / "large"),
        OutgoingFile("pipe.bin", tmp_path / "pipe"),
        OutgoingFile("folder.bin", tmp_path),
        OutgoingFile("../empty.txt", b""),
        OutgoingFile("zero.txt", Path("a\0b")),
    ]
    good = [OutgoingFile(f"{number}.txt", b"%d" % number) for number in range(MOST_FILES)]
    async with start(plugins=plugin(Reply("", files=(*bad, *good))), sending__paced=False) as bot:
        await ann.say("/send")
        await settled(emu, bot)
        assert not list((bot.core.config.data_dir / "files" / "exports").iterdir())
    *files, notice = from_bot(ann.private_chat())
    assert len(files) == MOST_FILES - len(bad)
    assert notice.text.startswith(
        "These files could not be sent: gone.txt, large.bin, pipe.bin, folder.bin, empty.txt, zero.txt, 4.txt"
    )


@pytest.mark.parametrize(
    "files",
    ["a.txt", [b"x"], [OutgoingFile("a", "text")], [OutgoingFile(None, b"x")], [OutgoingFile("a", b"x", None)]],  # type: ignore[arg-type]  a plugin may pass anything
)
async def test_wrong_types_are_an_error_of_the_plugin(
    emu: Emulator, ann: EmulatedUser, start: Start, files: Any
) -> None:
    async with start(plugins=plugin(Reply("Here.", files=files))) as bot:
        await ann.say("/send")
        await settled(emu, bot)
    (message,) = from_bot(ann.private_chat())
    assert "/send" in message.text
    assert message.text != "Here."


async def test_a_picture_refused_as_one_is_sent_as_a_file_before_it_is_removed(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    emu.faults.add(Fault.api_error("sendPhoto", 400, "Bad Request: IMAGE_PROCESS_FAILED"))
    async with start(plugins=plugin(Reply("", files=(OutgoingFile("a.png", png()),)))) as bot:
        await ann.say("/send")
        await settled(emu, bot)
        await emu.wait_for(lambda: not list((bot.core.config.data_dir / "files" / "exports").iterdir()))
    assert sent(ann) == [("document", "a.png", png())]


async def test_an_unknown_arrival_is_offered_again(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    emu.faults.add(Fault.cut_before("sendPhoto"))
    async with start(sending__resolve=False, plugins=plugin(Reply("", files=(OutgoingFile("a.png", png()),)))) as bot:
        await ann.say("/send")
        notice = await emu.wait_for_message(ann.private_chat(), is_notice)
        await ann.press(notice, "Send again")
        await settled(emu, bot)
        await emu.wait_for(lambda: ("photo", "a.png", png()) in sent(ann))
