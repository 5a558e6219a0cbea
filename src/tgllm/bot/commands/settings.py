"""The command ``/settings`` and its buttons."""

import asyncio
from dataclasses import replace

from tgllm.bot.commands.tools import tools_menu
from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import send_menu, show_menu
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.bot.ui.setting_values import Setting, with_value
from tgllm.bot.ui.settings_menu import HOME, SET, SETTINGS, UNSET, SettingsMenus
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import conversations, models
from tgllm.i18n import Catalogue
from tgllm.services.chats.language import choose_language, chosen_language
from tgllm.services.chats.settings import change_settings, persona_in, settings_of
from tgllm.services.chats.time_zone import choose_time_zone, chosen_time_zone, find_time_zone
from tgllm.services.common.text import one_line
from tgllm.services.conversations.turn import Turn
from tgllm.services.reminders.firing import move_to_zone
from tgllm.services.reminders.rules import zone_named

__all__ = ["settings_commands", "settings_presses"]

MOST_NAME = 60
"""Most UTF-16 units of a repeated name."""


def settings_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the rows for the command table."""
    return (
        TableCommand("settings", lambda language: texts("command.settings", language), "user", _settings, reads="bare"),
    )


def settings_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (PressAction(HOME, _open), PressAction(SET, _set))


async def _settings(scope: Scope, command: ParsedCommand) -> None:
    word, _, value = command.args.strip().partition(" ")
    if word.casefold() == "timezone" and value.strip():
        await _choose_zone(scope, value.strip())
        return
    menus = await _menus(scope)
    await send_menu(scope, menus.of("timezone") if word.casefold() == "timezone" else menus.home())


async def _choose_zone(scope: Scope, text: str) -> None:
    """Choose a time zone by its name, or by the city in it."""
    name, close = await asyncio.to_thread(find_time_zone, text)
    if name is not None:
        await scope.reply(scope.text("settings.timezone_chosen", zone=name), _zone(scope, name))
        return
    known = scope.text("settings.timezone_close", names=", ".join(close)) if close else ""
    await scope.reply(scope.text("settings.timezone_unknown", name=one_line(text, MOST_NAME), close=known))


async def _open(scope: Scope, pressed: Pressed) -> str:
    """Show one setting, or all settings."""
    menus = await _menus(scope)
    setting = _setting(pressed.argument)
    await show_menu(scope, pressed, menus.home() if setting is None else menus.of(setting))
    return ""


async def _set(scope: Scope, pressed: Pressed) -> str:
    """Choose a value. A value that is not offered was forged, or comes from another version's button."""
    name, _, value = pressed.argument.partition(":")
    menus = await _menus(scope)
    setting = _setting(name)
    if setting is None or value not in menus.values(setting):
        return scope.text("settings.old")
    chosen = None if value == UNSET else value
    changed = _changed(menus, setting, chosen, scope)
    await show_menu(scope, pressed, changed.home(), _effect(scope, setting, chosen))
    return ""


def _setting(name: str) -> Setting | None:
    return next((setting for setting in SETTINGS if setting == name), None)


def _changed(menus: SettingsMenus, setting: Setting, value: str | None, scope: Scope) -> SettingsMenus:
    """Return the menus after a choice."""
    if setting == "timezone":
        return replace(menus, time_zones=(value, menus.time_zones[1]))
    if setting == "language":
        own = scope.person.language_code
        return replace(menus, chosen_language=value, language=value or own or "")
    return replace(menus, settings=with_value(menus.settings, setting, value))


def _effect(scope: Scope, setting: Setting, value: str | None) -> Unit:
    """Return the unit that stores a choice; other settings that changed meanwhile stay."""
    clock = scope.clock
    if setting == "language":
        return choose_language(clock, scope.user.id, value)
    if setting == "timezone":
        return _zone(scope, value)
    return change_settings(clock, scope.lane.key, lambda before: with_value(before, setting, value))


def _zone(scope: Scope, name: str | None) -> Unit:
    """Return the unit that stores a time zone, in which the person's reminders come from then on."""
    choose, user_id, now = choose_time_zone(scope.clock, scope.user.id, name), scope.user.id, scope.now
    zone = zone_named(name, scope.config.time_zone)

    def unit(conn: Connection) -> None:
        choose(conn)
        move_to_zone(conn, user_id, zone, now)

    return unit


async def _menus(scope: Scope) -> SettingsMenus:
    core, user = scope.core, scope.user
    turn = Turn(id="", lane=scope.lane.key, user=user, chat=scope.chat, text="")

    tools = tools_menu(scope)

    def unit(conn: Connection) -> SettingsMenus:
        usable = tools(conn)
        conversation = conversations.active_in(conn, turn.lane)
        context = core.conversations.load(conn, turn)
        known = models.find(conn, context.model)
        settings = settings_of(conversation)
        return SettingsMenus(
            settings,
            persona_in(settings, core.config.personas),
            context.model,
            known is None or known.reasoning,
            lambda size: core.conversations.measure(replace(context, size=size)),
            chosen_language(conn, user.id),
            (chosen_time_zone(conn, user.id), core.config.time_zone),
            core.texts,
            scope.language,
            (usable.switched_on, len(usable.standings)),
        )

    return await scope.read(unit)
