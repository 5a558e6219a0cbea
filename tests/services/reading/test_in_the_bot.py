"""A running bot reads files, and ends its processes when it stops."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import reading_handlers
from tgllm import hookimpl
from tgllm.api import FileHandler, FileUnreadable, PluginContext, PluginInfo
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.scripted import GivenPlugin


class Reads:
    """A plugin with two handlers."""

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo("reads", "Reads", "1.0")

    @hookimpl
    def tgllm_file_handlers(self, ctx: PluginContext) -> Sequence[FileHandler]:
        return [
            FileHandler("whole", frozenset({"text/x-whole"}), reading_handlers.whole),
            FileHandler("wrong", frozenset({"text/x-wrong"}), reading_handlers.returns_text),
            FileHandler(
                "needy", frozenset({"text/x-needy"}), reading_handlers.whole, ("no_such_module",), "tgllm[files]"
            ),
        ]


async def test_the_pool_of_a_running_bot(emu: Emulator, ann: EmulatedUser, reading: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("Hello")
    data = tmp_path / "data"
    data.mkdir()
    async with running_bot(emu, data, admins=[ann.id], plugins=[GivenPlugin.of("reads", Reads())]) as bot:
        host, reader = bot.core.host, bot.core.reader
        owned = {each.handler.id: each for each in host.file_handlers}

        assert (await reader.read(owned["whole"], path, reading.limits, "a.txt")).text == "Hello"
        assert [each.name[:14] for each in (data / "reading").iterdir()] == ["tgllm-reading-"]

        with pytest.raises(FileUnreadable, match="not installed"):
            await reader.read(owned["needy"], path, reading.limits, "a.txt")
        command = "pip install 'tgllm[files]'"
        await emu.wait_for(lambda: any(command in text for text in ann.private_chat().bot_texts))

        with pytest.raises(FileUnreadable):
            await reader.read(owned["wrong"], path, reading.limits, "a.txt")
        assert "whole" not in {each.handler.id for each in host.file_handlers}
        (record,) = [each for each in host.records if each.id == "reads"]
        assert record.reason == "extract of file handler wrong returned str instead of Extracted"
        assert len(reader.pids) <= 1
    assert not reader.pids
    assert not (data / "reading").exists()
