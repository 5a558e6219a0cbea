"""The menus of commands that Telegram shows."""

import json
from typing import Any

from bot_support import Menus, Start
from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, PluginInfo
from tgllm.bot.ui.command_menu import MenuBuilder
from tgllm.bot.ui.command_table import LiveCommands, TableCommand
from tgllm.db.tables import users
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.limits.faults import Fault
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin

PLACES = 6
"""For everybody and for one admin: in English, in Russian, and for all other languages."""


class Tools:
    """A plugin with a command for admins."""

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="tools", title="Tools", api="1.0")

    @hookimpl
    def tgllm_commands(self) -> tuple[ChatCommand, ...]:
        return (ChatCommand("sweep", "d" * 256, _sweep, "admin", descriptions={"ru": "Подмести"}),)


async def _sweep(call: CommandCall) -> str:
    return "Swept"


def menu(emu: Emulator, language: str, chat_id: int | None = None) -> dict[str, str]:
    scope: dict[str, Any] = {"type": "default"} if chat_id is None else {"type": "chat", "chat_id": chat_id}
    found = emu.bot.commands.get((json.dumps(scope, sort_keys=True), language), [])
    return {command["command"]: command["description"] for command in found}


def calls(emu: Emulator) -> int:
    return len([call for call in emu.journal if call.method in {"setMyCommands", "deleteMyCommands"}])


async def test_users_see_what_they_may_use_and_admins_see_all_in_their_language(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    async with start(plugins=[GivenPlugin.of("tools", Tools())]):
        await emu.wait_for(lambda: len(emu.bot.commands) == PLACES)
    for language in ("", "en"):
        assert menu(emu, language)["model"] == "Choose the model that answers here"
        assert "sweep" not in menu(emu, language)
        assert menu(emu, language, ann.id).items() > menu(emu, language).items()
        assert menu(emu, language, ann.id)["sweep"] == "d" * 256
    assert menu(emu, "ru")["model"] == "Выбрать модель, которая здесь отвечает"
    assert menu(emu, "ru", ann.id)["sweep"] == "Подмести"


async def test_telegram_is_told_only_what_is_different(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start() as bot:
        await emu.wait_for(lambda: calls(emu) == PLACES)
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat())
        await bot.stop()
    async with start(plugins=[GivenPlugin.of("tools", Tools())]):
        # Only the admin has something new.
        await emu.wait_for(lambda: "sweep" in menu(emu, "ru", ann.id))
        await emu.wait_for(lambda: "sweep" in menu(emu, "en", ann.id))
        await emu.wait_for(lambda: "sweep" in menu(emu, "", ann.id))
    assert calls(emu) == PLACES + 3


async def test_somebody_who_is_no_admin_any_more_loses_the_menu(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    async with start(let_in=[eve]) as bot:
        await bot.core.database.write(lambda conn: users.set_role(conn, eve.id, "admin", 1))
        await bot.stop()
    async with start() as bot:
        await emu.wait_for(lambda: menu(emu, "en", eve.id))
        await bot.core.database.write(lambda conn: users.set_role(conn, eve.id, "user", 2))
        await bot.stop()
    async with start():
        await emu.wait_for(lambda: len(emu.bot.commands) == PLACES)
    assert not menu(emu, "en", eve.id)


async def test_trouble_with_menus_is_not_the_bots(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    emu.faults.add(Fault.api_error("setMyCommands", 400, "Bad Request: chat not found", times=None))
    async with start() as bot:
        # Ann's chat is refused once, not in each language.
        await emu.wait_for(lambda: calls(emu) == PLACES - 2)
        await ann.say("/ping")
        assert (await emu.wait_for_message(ann.private_chat())).text == "Bot ready"
        await bot.stop()
    emu.faults.clear()
    async with start():
        await emu.wait_for(lambda: len(emu.bot.commands) == PLACES)


async def test_an_admin_who_has_never_begun_is_tried_once_until_they_speak(
    emu: Emulator, menus: Menus, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    def tried() -> int:
        return len([call for call in emu.journal.of("setMyCommands") if str(eve.id) in str(call.params.get("scope"))])

    async with start() as bot:
        await emu.wait_for(lambda: len(emu.bot.commands) == PLACES)
        await bot.stop()
    emu.faults.add(Fault.api_error("setMyCommands", 400, "Bad Request: chat not found", times=None))
    async with start(admins=[ann.id, eve.id]):
        await emu.wait_for(lambda: tried() == 1)
        emu.faults.clear()
        await menus.ask(ann, "/ping")
        assert tried() == 1
        await eve.say("/ping")
        await emu.wait_for(lambda: menu(emu, "en", eve.id) and menu(emu, "ru", eve.id))


async def test_a_menu_that_telegram_does_not_take_is_tried_again_when_it_is_another_one(
    emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start
) -> None:
    emu.faults.add(Fault.api_error("setMyCommands", 400, "Bad Request: BOT_COMMAND_INVALID", times=None))
    async with start():
        # Once for everybody in each language, and for Ann. It may be her chat that was refused, until she writes.
        refused = PLACES - 3 + 1 + 3
        while calls(emu) < refused:
            await menus.ask(ann, "/ping")
        await menus.ask(ann, "/ping")
        emu.faults.clear()
        shown = await menus.ask(ann, "/settings")
        await menus.press(ann, shown, "Language")
        await menus.press(ann, shown, "Русский")
        await emu.wait_for(lambda: menu(emu, "", ann.id))
        # What she had in other languages is taken away.
        await emu.wait_for(lambda: calls(emu) == refused + 3)
    assert len(emu.bot.commands) == 1


async def test_who_has_chosen_a_language_has_the_menu_in_it(
    emu: Emulator, menus: Menus, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    async with start(let_in=[eve]):
        await emu.wait_for(lambda: len(emu.bot.commands) == PLACES)
        for person in (ann, eve):
            shown = await menus.ask(person, "/settings")
            await menus.press(person, shown, "Language")
            await menus.press(person, shown, "Русский")
        await emu.wait_for(lambda: menu(emu, "", eve.id))
        await emu.wait_for(lambda: menu(emu, "", ann.id)["model"] == "Выбрать модель, которая здесь отвечает")
        await emu.wait_for(lambda: not menu(emu, "en", ann.id) and not menu(emu, "ru", ann.id))
        assert menu(emu, "", eve.id)["model"] == "Выбрать модель, которая здесь отвечает"
        assert "groupmode" not in menu(emu, "", eve.id)
        assert "groupmode" in menu(emu, "", ann.id)
        await menus.press(ann, await menus.ask(ann, "/settings"), "Язык")
        await ann.press((await emu.wait_for(lambda: ann.private_chat().messages))[-1], "как в Telegram")
        await emu.wait_for(lambda: menu(emu, "ru", ann.id) and menu(emu, "en", ann.id))
        assert menu(emu, "", ann.id)["model"] == "Choose the model that answers here"


async def test_a_decision_on_somebody_with_a_menu_of_their_own_changes_it_at_once(
    emu: Emulator, menus: Menus, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    async with start(let_in=[eve]):
        await emu.wait_for(lambda: len(emu.bot.commands) == PLACES)
        shown = await menus.ask(eve, "/settings")
        await menus.press(eve, shown, "Language")
        await menus.press(eve, shown, "Русский")
        await emu.wait_for(lambda: menu(emu, "", eve.id))
        await menus.ask(ann, f"/admin block {eve.id}")
        await emu.wait_for(lambda: not menu(emu, "", eve.id))
        await menus.ask(ann, f"/admin approve {eve.id}")
        await emu.wait_for(lambda: "groupmode" not in menu(emu, "", eve.id) and menu(emu, "", eve.id))
        await menus.ask(ann, f"/admin role {eve.id} admin")
        await emu.wait_for(lambda: "groupmode" in menu(emu, "", eve.id))


async def test_somebody_who_is_let_in_and_shares_the_menu_of_all_changes_none(
    emu: Emulator, menus: Menus, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    async with start() as bot:
        await emu.wait_for(lambda: len(emu.bot.commands) == PLACES)
        refreshed: list[str] = []
        bot.core.database.on_commit("menus", lambda: refreshed.append("menus"))
        await menus.ask(eve, "/start")
        await menus.ask(ann, f"/admin approve {eve.id}")
        assert refreshed == []
        await menus.ask(ann, f"/admin role {eve.id} admin")
        assert refreshed == ["menus"]
        await emu.wait_for(lambda: menu(emu, "en", eve.id))


def test_menus_are_built_once_for_each_table() -> None:
    built: list[str] = []
    revision = 1

    def describe(language: str) -> str:
        built.append(language)
        return f"Sweep in {language}"

    async def run(scope: object, command: object) -> None: ...

    commands = LiveCommands(lambda: revision, lambda: [TableCommand("sweep", describe, "user", run)])
    builder = MenuBuilder(commands)
    assert builder.menu("user", "en").commands == (("sweep", "Sweep in en"),)
    assert builder.menu("user", "en") is builder.menu("user", "en")
    assert builder.menu("user", "ru").digest != builder.menu("user", "en").digest
    assert built == ["en", "ru"]
    revision = 2
    assert builder.menu("user", "en").digest == builder.menu("user", "en").digest
    assert built == ["en", "ru", "en"]
