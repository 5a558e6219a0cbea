"""The command ``/tools``: what a model may use here, switched off and on for one chat."""

from collections.abc import Sequence
from typing import Any

import pytest

from bot_support import Menus, Start, Topics
from tgllm import hookimpl
from tgllm.api import PluginContext, PluginInfo
from tgllm.api.tools import ToolSpec, ToolUse
from tgllm.bot.rendering.split import utf16_length
from tgllm.bot.ui.tools_menu import key_of
from tgllm.db.tables import conversations
from tgllm.plugins.discovery import FoundPlugin
from tgllm.services.chats.settings import settings_of
from tgllm.services.common.lane import Lane
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin

CALCULATOR, CLOCK = "🧮 calculating", "🕒 looking at the clock"


class Tools:
    def __init__(self, *tools: ToolSpec) -> None:
        self._tools = tools

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="more", title="More", api="1.2")

    @hookimpl
    def tgllm_tools(self, ctx: PluginContext) -> Sequence[ToolSpec]:
        return self._tools


async def nothing(use: ToolUse) -> str:
    return use.tool


def more(*tools: ToolSpec) -> FoundPlugin:
    return GivenPlugin.of("more", Tools(*tools))


def read(name: str, **fields: Any) -> ToolSpec:
    return ToolSpec(name, **{"description": "Reads.", "handler": nothing, "danger": "read"} | fields)


async def off_in(bot: RunningBot, lane: str) -> object:
    return await bot.core.database.read(lambda conn: settings_of(conversations.active_in(conn, lane)).tools_off)


async def test_it_lists_what_may_be_used(menus: Menus, ann: EmulatedUser, start: Start) -> None:
    pay = read("pay", danger="dangerous", title="💸 paying", description="Pays. Really.", access="admin")
    async with start(plugins=[more(pay)], tools__rules={"pay": {"private": "admin", "groups": "nobody"}}):
        menu = await menus.ask(ann, "/tools")

    assert menu.text.startswith("🧰 What the model may use here:\n\n")
    assert f"{CALCULATOR}\nCalculates exactly.\n(calculator)\n\n" in menu.text
    assert "💸 paying\nPays.\n(pay · asks you before each use)\n\n" in menu.text
    assert {f"✓ {CALCULATOR}", f"✓ {CLOCK}", "✓ 💸 paying"} < set(menu.labels)
    assert menu.labels[-1] == "« All settings"


async def test_in_another_language_titles_are_in_it(menus: Menus, emu: Emulator, start: Start) -> None:
    ivan = emu.add_user(first_name="Ivan", language_code="ru")
    async with start(let_in=[ivan]):
        menu = await menus.ask(ivan, "/tools")

    assert "🧮 считаю" in menu.text
    assert "✓ 🧮 считаю" in menu.labels


async def test_what_a_person_may_not_use_is_not_listed(
    menus: Menus, ann: EmulatedUser, emu: Emulator, start: Start
) -> None:
    bob = emu.add_user(first_name="Bob", language_code="en")
    rules = {"clock": {"private": "admin"}, "secret": {"private": "admin"}}
    async with start(
        let_in=[bob],
        disable_plugins="basic_memory",
        plugins=[more(read("secret"), read("wipe", danger="write"))],
        tools__rules=rules,
    ):
        menu = await menus.ask(bob, "/tools")
        owner = await menus.ask(ann, "/tools")

        assert [label for label in menu.labels if "✓" in label] == [f"✓ {CALCULATOR}"]
        assert "✓ secret" in owner.labels
        assert "wipe" not in owner.text
        assert (
            await menus.toast(bob, menu, f"toolswitch:0:{key_of('secret')}") == "This is not available here any more."
        )


async def test_without_tools_it_says_so(menus: Menus, ann: EmulatedUser, start: Start) -> None:
    async with start(tools__enabled=False):
        menu = await menus.ask(ann, "/tools")

        assert "nothing here that the model could use" in menu.text
        assert "Tools" not in (await menus.ask(ann, "/settings")).labels


async def test_a_press_switches_one_off_and_on(menus: Menus, ann: EmulatedUser, start: Start) -> None:
    async with start(disable_plugins="basic_memory") as bot:
        menu = await menus.ask(ann, "/tools")
        await menus.press(ann, menu, f"✓ {CLOCK}")

        assert CLOCK in menu.labels
        assert "(clock · switched off in this chat)" in menu.text
        assert await off_in(bot, Lane(ann.id).key) == ("clock",)
        assert "Tools on: 1 of 2 (/tools)" in (await menus.ask(ann, "/settings")).text

        await menus.press(ann, menu, CLOCK)

        assert f"✓ {CLOCK}" in menu.labels
        assert await off_in(bot, Lane(ann.id).key) is None


async def test_a_second_press_on_an_old_button_changes_nothing(menus: Menus, ann: EmulatedUser, start: Start) -> None:
    async with start(disable_plugins="basic_memory") as bot:
        menu = await menus.ask(ann, "/tools")
        for _ in range(2):
            assert await menus.toast(ann, menu, f"toolswitch:0:{key_of('clock')}") == f"Off in this chat: {CLOCK}"

        assert await off_in(bot, Lane(ann.id).key) == ("clock",)


@pytest.mark.parametrize(
    "data",
    ["toolswitch", "toolswitch:", "toolswitch:2:x", "toolswitch:0:clock", "toolswitch:1", "toolswitch:0:" + "f" * 16],
)
async def test_a_forged_press_changes_nothing(menus: Menus, ann: EmulatedUser, start: Start, data: str) -> None:
    async with start(disable_plugins="basic_memory") as bot:
        menu = await menus.ask(ann, "/tools")

        assert await menus.toast(ann, menu, data) == "This is not available here any more."
        assert await off_in(bot, Lane(ann.id).key) is None


async def test_it_is_of_one_topic(menus: Menus, ann: EmulatedUser, start: Start, topics: Topics) -> None:
    one, two = topics
    async with start(disable_plugins="basic_memory"):
        menu = await menus.ask(ann, "/tools@demo_bot", topic=one)
        await menus.press(ann, menu, f"✓ {CLOCK}")

        assert CLOCK in (await menus.ask(ann, "/tools@demo_bot", topic=one)).labels
        assert f"✓ {CLOCK}" in (await menus.ask(ann, "/tools@demo_bot", topic=two)).labels


async def test_the_settings_open_it_and_it_leads_back(menus: Menus, ann: EmulatedUser, start: Start) -> None:
    async with start(disable_plugins="basic_memory"):
        menu = await menus.ask(ann, "/settings")
        assert "Tools on: 2 of 2 (/tools)" in menu.text
        await menus.press(ann, menu, "Tools")
        assert menu.text.startswith("🧰")
        await menus.press(ann, menu, "« All settings")
        assert menu.text.startswith("Settings of this chat:")


async def test_many_tools_have_pages_that_fit(menus: Menus, ann: EmulatedUser, start: Start) -> None:
    long = [
        read(f"{'n' * 60}_{number}", title="😀" * 60 + str(number), description="😀" * 900 + "\n\u202enext")
        for number in range(20)
    ]
    async with start(plugins=[more(*long)]):
        menu = await menus.ask(ann, "/tools")
        pages = [menu.text]
        for _ in range(2):
            await menus.press(ann, menu, "»")
            pages.append(menu.text)
        assert "3 / 3" in menu.labels
        last = menu.labels[0]
        await menus.press(ann, menu, last)
        assert "3 / 3" in menu.labels

    assert len(set(pages)) == 3
    assert all(utf16_length(page) <= 4096 and "\u202e" not in page for page in pages)


async def test_the_built_in_tools_are_described_to_people_in_their_language(
    emu: Emulator, menus: Menus, start: Start, ann: EmulatedUser
) -> None:
    ann.language_code = "ru"
    async with start(plugins=[more(read("evil", title="@bob", description="See https://bad.example now."))]):
        menu = await menus.ask(ann, "/tools")

    for words in ("Точно считает.", "Сообщает время", "Предлагает, что о вас запомнить.", "Ищет в наших"):
        assert words in menu.text
    assert "you" not in menu.text
    assert "＠bob\nSee https∶∕∕bad․example now." in menu.text


async def test_a_title_and_a_description_are_no_links(menus: Menus, ann: EmulatedUser, start: Start) -> None:
    odd = read("odd", title="@evil https://evil.example", description="Ask @evil at evil.example now. Really.")
    async with start(plugins=[more(odd)]):
        menu = await menus.ask(ann, "/tools")
    assert "Reads" not in menu.text
    assert not menu.entities
