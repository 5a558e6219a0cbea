"""A running bot reads files, and ends its processes when it stops."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import reading_handlers
from docs_support import blocks
from plugin_support import write_distribution
from tgllm import hookimpl
from tgllm.api import FileHandler, FileUnreadable, PluginContext, PluginInfo
from tgllm.plugins.discovery import discover
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider


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


class Segfaults:
    """A plugin whose handler crashes."""

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo("crashes", "Crashes", "1.0")

    @hookimpl
    def tgllm_file_handlers(self, ctx: PluginContext) -> Sequence[FileHandler]:
        suffixes = frozenset({".bad"})
        return [FileHandler("crashes", frozenset({"text/x-bad"}), reading_handlers.segfaults, suffixes=suffixes)]


async def test_a_file_in_the_format_of_the_how_to_reaches_the_model(
    emu: Emulator, ann: EmulatedUser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, data = tmp_path / "site", tmp_path / "data"
    site.mkdir()
    data.mkdir()
    source, tests, _ = blocks("howto/read-your-own-format.md")
    walk = tests.split('WALK = """')[1].split('"""')[0]
    write_distribution(site, "tgllm-gpx", {"tgllm": {"gpx": "tgllm_gpx"}}, {"tgllm_gpx": source})
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    found = [each for each in discover() if each.package == "tgllm-gpx"]
    provider = ScriptedProvider()
    provider.answer("It was 11 km.")

    async with running_bot(emu, data, admins=[ann.id], provider=provider, plugins=found):
        await ann.upload(walk.encode(), name="Walk.gpx", caption="How far was it?")
        await emu.wait_for(lambda: any("It was 11 km." in text for text in ann.private_chat().bot_texts))

    asked = "\n".join(provider.told)
    assert "How far was it?" in asked
    assert "To the lake" in asked
    assert "length: 11.1 km" in asked
    sys.modules.pop("tgllm_gpx", None)


async def test_a_handler_that_crashes_costs_neither_the_question_nor_the_next_file(
    emu: Emulator, ann: EmulatedUser, tmp_path: Path
) -> None:
    provider = ScriptedProvider()
    provider.answer("I can't see it.")
    provider.answer("It says Hello.")
    plugin = GivenPlugin.of("crashes", Segfaults())

    async with running_bot(emu, tmp_path, admins=[ann.id], provider=provider, plugins=[plugin]):
        await ann.upload(b"some words", name="a.bad", caption="What is this?")
        await emu.wait_for(lambda: any("I can't see it." in text for text in ann.private_chat().bot_texts))
        await emu.wait_for(lambda: any("Reading a.bad failed" in text for text in ann.private_chat().bot_texts))
        await ann.upload(b"some words", name="b.bad")
        await emu.wait_for(lambda: any("Reading b.bad failed" in text for text in ann.private_chat().bot_texts))
        await ann.upload(b"Hello, said the file.", name="c.txt", caption="And this?")
        await emu.wait_for(lambda: any("It says Hello." in text for text in ann.private_chat().bot_texts))

    assert "Hello, said the file." in "\n".join(provider.told)
    assert len(provider.requests) == 2


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
