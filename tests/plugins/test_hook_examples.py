"""The examples of the page on hooks are one plugin, and each hook does in a bot what the page says."""

import asyncio
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from docs_support import blocks, read_page
from tgllm import hookspecs
from tgllm.api import ChatInfo, ToolUse, UserInfo
from tgllm.testing.bot import RunningBot, running_bot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin

EXAMPLES = [block for block in blocks("reference/hooks.md") if not block.startswith("def tgllm_")]
HOOKS = [name for name in vars(hookspecs) if name.startswith("tgllm_")]


@pytest.fixture
def tour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The plugin as a module that the process that reads files can import."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "tgllm_tour.py").write_text("\n\n".join(EXAMPLES), encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield importlib.import_module("tgllm_tour")
    del sys.modules["tgllm_tour"]


def test_every_hook_has_an_example_in_its_section() -> None:
    sections = dict(
        re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", read_page("reference/hooks.md"), re.DOTALL | re.MULTILINE)
    )

    without = [hook for hook in HOOKS if not re.search(rf"@hookimpl\n(async )?def {hook}\(", sections[hook])]
    assert without == []


async def test_the_examples_do_what_they_say(
    emu: Emulator, ann: EmulatedUser, tmp_path: Path, tour: ModuleType
) -> None:
    clock, data = ManualClock(), tmp_path / "data"
    data.mkdir()
    bot_of = running_bot(
        emu,
        data,
        admins=[ann.id],
        plugins=[GivenPlugin.of("tour", tour)],
        clock=clock,
        default_model="tour/parrot",
        plugins__tour__greeting="Good day",
    )
    async with bot_of as bot:
        await _check_turns(emu, ann, bot)
        await _check_files(emu, ann)
        await _check_a_greeting(emu, ann, bot, clock)
        await _check_a_group(emu, ann, bot)
        await _check_forgetting(emu, ann, bot)
    assert (data / "plugins" / "tour" / "stopped").exists()


def context_of(bot: RunningBot):  # noqa: ANN201  any context
    return next(owned.context for owned in bot.core.host.commands if owned.plugin_id == "tour")


async def _check_turns(emu: Emulator, ann: EmulatedUser, bot: RunningBot) -> None:
    ctx = context_of(bot)
    assert bot.core.host.titles["tour"] == "Tour"
    assert [(check.name, check.state) for owner, check in await bot.core.host.doctor() if owner == "tour"] == [
        ("greeting", "ok")
    ]
    assert await ctx.store.get("started") == ctx.clock.now()
    await _answer(emu, ann, "Good morning", "You speak to Ann: Good morning")
    await bot.talk.settled()
    assert await ctx.store.of(ann.id).get("last answer") == "You speak to Ann: Good morning"
    await emu.wait_for_answer(await ann.say("Hush"))
    await bot.talk.settled()
    assert await ctx.store.get("last error") == "refused"
    await bot.run_job("count")
    assert await ctx.store.get("days") == 1
    (owned,) = [owned for owned in bot.core.host.tools if owned.plugin_id == "tour"]
    use = ToolUse(
        "1", "count_words", {"text": "a b c"}, UserInfo(ann.id, "Ann", "owner"), ChatInfo(1, "private"), "t", ctx
    )
    assert await owned.tool.handler(use) == "3"


async def _check_files(emu: Emulator, ann: EmulatedUser) -> None:
    asked = await ann.upload(b"the old bridge", name="a.tour", caption="Where?")
    await emu.wait_for_answer(asked, lambda message: "THE OLD BRIDGE" in message.text)
    asked = await ann.upload(b"OggS" + bytes(96), name="a.oga", mime="audio/ogg", kind="voice")
    await emu.wait_for_answer(asked, lambda message: "100 bytes of sound" in message.text)


async def _check_a_greeting(emu: Emulator, ann: EmulatedUser, bot: RunningBot, clock: ManualClock) -> None:
    said = await ann.say("/greet")
    greeting = await emu.wait_for_answer(said)
    assert greeting.text == "Good day, Ann."
    await ann.press(greeting, "Wave")
    await emu.wait_for(lambda: greeting.text == "👋")
    await clock.advance(3601)
    await emu.wait_for_answer(said, lambda message: message.text == "Hello again, Ann.")
    assert await context_of(bot).store.get(f"waved {ann.id}") is True


async def _check_a_group(emu: Emulator, ann: EmulatedUser, bot: RunningBot) -> None:
    store, group = context_of(bot).store, emu.add_group(title="Team", members=[ann], bots=[], is_basic=True)
    await ann.add(group, emu.bot)
    said = await ann.say("/greet", chat=group)
    await emu.wait_for_answer(said, lambda message: message.text == "I greet in private chats only.")
    await store.set(f"waved {group.id}", True)
    grown = await ann.upgrade(group)
    await _until_key(bot, f"waved {grown.id}", is_there=True)
    assert await store.get(f"waved {group.id}") is None


async def _check_forgetting(emu: Emulator, ann: EmulatedUser, bot: RunningBot) -> None:
    asked = await emu.wait_for_answer(await ann.say("/forget"))
    await ann.press(asked, "Delete my data")
    await _until_key(bot, f"waved {ann.id}", is_there=False)


async def _answer(emu: Emulator, ann: EmulatedUser, question: str, answer: str) -> None:
    await emu.wait_for_answer(await ann.say(question), lambda message: message.text == answer)


async def _until_key(bot: RunningBot, key: str, *, is_there: bool) -> None:
    async with asyncio.timeout(20):
        while (await context_of(bot).store.get(key) is not None) is not is_there:
            await bot.talk.settled()
