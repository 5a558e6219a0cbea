"""The command ``/settings`` and its buttons."""

from dataclasses import replace
from typing import cast, get_args

from tgllm.api import ModelRef, ReasoningEffort
from tgllm.bot.commands import ParsedCommand, TableCommand
from tgllm.bot.keyboards import send_menu, show_menu
from tgllm.bot.presses import PressAction, Pressed
from tgllm.bot.scope import UpdateScope
from tgllm.bot.settings_menu import HOME, SET, UNSET, Setting, SettingsMenus
from tgllm.db import conversations, models
from tgllm.db.unit import Connection, Unit
from tgllm.i18n import Catalogue
from tgllm.services.chat_settings import ChatSettings, ReasoningDisplay, RichMode, change_settings, settings_of
from tgllm.services.language import choose_language, chosen_language
from tgllm.services.model_choices import persona_of
from tgllm.services.model_in_use import model_in_use

__all__ = ["settings_commands", "settings_presses"]


def settings_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """The rows for the command table."""
    return (TableCommand("settings", lambda language: texts("command.settings", language), "user", _settings),)


def settings_presses() -> tuple[PressAction, ...]:
    """The rows for the press table."""
    return (PressAction(HOME, _open), PressAction(SET, _set))


async def _settings(scope: UpdateScope, _command: ParsedCommand) -> None:
    await send_menu(scope, (await _menus(scope)).home())


async def _open(scope: UpdateScope, pressed: Pressed) -> str:
    """Show one setting, or all."""
    menus = await _menus(scope)
    setting = _setting(pressed.argument)
    await show_menu(scope, pressed, menus.home() if setting is None else menus.of(setting))
    return ""


async def _set(scope: UpdateScope, pressed: Pressed) -> str:
    """Choose a value. What is not among those that are offered was forged, or is of another version."""
    name, _, value = pressed.argument.partition(":")
    menus = await _menus(scope)
    setting = _setting(name)
    if setting is None or value not in menus.values(setting):
        return scope.text("settings.old")
    changed = _changed(menus, setting, None if value == UNSET else value, scope)
    await show_menu(scope, pressed, changed.home(), _effect(scope, changed, setting))
    return ""


def _setting(name: str) -> Setting | None:
    return cast("Setting", name) if name in get_args(Setting) else None


def _changed(menus: SettingsMenus, setting: Setting, value: str | None, scope: UpdateScope) -> SettingsMenus:
    """The menus after a choice."""
    match setting:
        case "language":
            own = scope.person.language_code if scope.person is not None else None
            return replace(menus, chosen_language=value, language=value or own or "")
        case "temperature":
            temperature = None if value is None else float(value)
            return replace(menus, settings=replace(menus.settings, temperature=temperature))
        case "effort":
            effort = cast("ReasoningEffort | None", value)
            return replace(menus, settings=replace(menus.settings, reasoning_effort=effort))
        case "thoughts":
            display = cast("ReasoningDisplay | None", value)
            return replace(menus, settings=replace(menus.settings, reasoning_display=display))
        case "rich":
            return replace(menus, settings=replace(menus.settings, rich=cast("RichMode | None", value)))
        case "files":
            file_over = None if value is None else int(value)
            return replace(menus, settings=replace(menus.settings, file_over=file_over))


def _effect(scope: UpdateScope, changed: SettingsMenus, setting: Setting) -> Unit:
    """The piece of work that keeps a choice, and leaves what others chose meanwhile."""
    clock = scope.parts.core.clock
    if setting == "language":
        assert scope.user is not None  # noqa: S101  the access middleware has set it
        return choose_language(clock, scope.user.id, changed.chosen_language)

    def change(before: ChatSettings) -> ChatSettings:
        match setting:
            case "temperature":
                return replace(before, temperature=changed.settings.temperature)
            case "effort":
                return replace(before, reasoning_effort=changed.settings.reasoning_effort)
            case "thoughts":
                return replace(before, reasoning_display=changed.settings.reasoning_display)
            case "rich":
                return replace(before, rich=changed.settings.rich)
            case "files":
                return replace(before, file_over=changed.settings.file_over)

    return change_settings(clock, scope.lane.key, change)


async def _menus(scope: UpdateScope) -> SettingsMenus:
    core, user, lane, language = scope.parts.core, scope.user, scope.lane.key, scope.language
    configured = ModelRef.parse(core.config.default_model)

    def unit(conn: Connection) -> SettingsMenus:
        conversation = conversations.active_in(conn, lane)
        persona = persona_of(core, conversation)
        model = model_in_use(conn, conversation, configured, core.registry.canonical, persona).ref
        known = models.find(conn, model)
        return SettingsMenus(
            settings_of(conversation),
            persona,
            model,
            known is None or known.reasoning,
            chosen_language(conn, user.id) if user is not None else None,
            core.texts,
            language,
        )

    return await core.database.read(unit)
