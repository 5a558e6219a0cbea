"""Personas of a chat's model: the command ``/persona`` and its buttons.

Personas are defined in the config, for all users, or by users for themselves.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import MARK, Button, Menu, page_number, page_of, pager, send_menu, show_menu
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.config.sections.personas import PersonaSetting
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import conversations
from tgllm.i18n import Catalogue
from tgllm.services.chats.personas import PersonaRefused, forget_persona, keep_persona, own_personas
from tgllm.services.chats.settings import ChatSettings, change_settings, settings_of
from tgllm.services.models.choices import choice_key, choose_model

__all__ = ["persona_commands", "persona_presses"]

HOME = "personas"
"""First word of the data of the button that shows a page of personas; its number follows."""
CHOOSE = "persona"
"""The same for choosing one; its key follows, or ``NONE``."""
NONE = "-"

_MADE = re.compile(r"([^\s:]+)\s*:\s*(.+)", re.DOTALL)
"""The name of a persona and its system prompt."""


@dataclass(frozen=True, slots=True)
class _Choices:
    """Personas from which a user can choose in a chat."""

    offered: Sequence[PersonaSetting]
    """Personas of the config."""
    own: Sequence[PersonaSetting]
    """The user's own personas."""
    settings: ChatSettings
    """Settings of the chat."""

    @property
    def all(self) -> Sequence[PersonaSetting]:
        return [*self.offered, *self.own]

    def named(self, name: str) -> PersonaSetting | None:
        return next((persona for persona in self.all if persona.name == name.casefold()), None)

    def by_key(self, key: str) -> PersonaSetting | None:
        return next((persona for persona in self.all if choice_key(persona.name) == key), None)


def persona_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the row for the command table."""
    return (
        TableCommand("persona", lambda language: texts("command.persona", language), "user", _persona, reads="bare"),
    )


def persona_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (PressAction(HOME, _page), PressAction(CHOOSE, _choose))


async def _persona(scope: Scope, command: ParsedCommand) -> None:
    """Show the personas, choose the one in the argument, or create one."""
    choices = await _choices(scope)
    made = _MADE.fullmatch(command.args)
    if not command.args:
        await send_menu(scope, _menu(scope, choices, 0))
    elif command.args == NONE:
        await send_menu(scope, _chosen(scope, None), *_effects(scope, choices, None))
    elif made is not None:
        await _make(scope, choices, made[1].casefold(), markdown_of(command.written.part(made.start(2))))
    elif (persona := choices.named(command.args)) is not None:
        await send_menu(scope, _chosen(scope, persona), *_effects(scope, choices, persona))
    else:
        await scope.reply(scope.text("persona.unknown", name=command.args[:64]))


async def _make(scope: Scope, choices: _Choices, name: str, system: str) -> None:
    """Store a persona of the user and choose it in this chat, or delete it."""
    if system == NONE:
        await _forget(scope, choices, name)
        return
    persona = PersonaSetting(name=name, system=system)
    keep = keep_persona(scope.clock, scope.user.id, persona, choices.offered)
    try:
        await scope.reply(scope.text("persona.made", persona=name), keep, *_effects(scope, choices, persona))
    except PersonaRefused as error:
        await scope.reply(scope.error_text(error))


async def _forget(scope: Scope, choices: _Choices, name: str) -> None:
    if all(persona.name != name for persona in choices.own):
        await scope.reply(scope.text("persona.unknown", name=name[:64]))
        return
    here = choices.settings.persona == name and choices.settings.persona_system is not None
    effects = _effects(scope, choices, None) if here else []
    forget = forget_persona(scope.clock, scope.user.id, name)
    await scope.reply(scope.text("persona.forgotten", persona=name), forget, *effects)


async def _page(scope: Scope, pressed: Pressed) -> str:
    await show_menu(scope, pressed, _menu(scope, await _choices(scope), page_number(pressed.argument)))
    return ""


async def _choose(scope: Scope, pressed: Pressed) -> str:
    choices = await _choices(scope)
    persona = choices.by_key(pressed.argument)
    if persona is None and pressed.argument != NONE:
        return scope.text("persona.old")
    menu = replace(_chosen(scope, persona), rows=[[Button(scope.text("persona.change"), HOME)]])
    await show_menu(scope, pressed, menu, *_effects(scope, choices, persona))
    return ""


def _menu(scope: Scope, choices: _Choices, number: int) -> Menu:
    """Return a page of the personas, with a mark on the chat's."""
    how = scope.text("persona.how")
    if not choices.all and choices.settings.persona is None:
        return Menu(f"{scope.text('persona.none_there')}\n\n{how}")
    current = choices.settings.persona or NONE

    def button(name: str, key: str, label: str) -> Button:
        return Button((MARK if name == current else "") + label, f"{CHOOSE}:{key}")

    page = page_of(choices.all, number)
    rows = [[button(each.name, choice_key(each.name), each.title or each.name)] for each in page.items]
    turn = pager(page, lambda to: f"{HOME}:{to}")
    last = [button(NONE, NONE, scope.text("persona.none"))]
    return Menu(f"{scope.text('persona.choose')}\n\n{how}", [*rows, *turn, last])


def _chosen(scope: Scope, persona: PersonaSetting | None) -> Menu:
    if persona is None:
        return Menu(scope.text("persona.taken_back"))
    return Menu(scope.text("persona.chosen", persona=persona.title or persona.name))


def _effects(scope: Scope, choices: _Choices, persona: PersonaSetting | None) -> list[Unit]:
    """Return the units that choose a persona; one with a model resets the chat's own choice of a model.

    The system prompt of a user's own persona is copied to the chat, which keeps it if the user changes or deletes the
    persona.
    """
    name = None if persona is None else persona.name
    system = None if persona is None or persona in choices.offered else persona.system
    core, lane = scope.core, scope.lane.key
    change = change_settings(core.clock, lane, lambda before: replace(before, persona=name, persona_system=system))
    if persona is None or persona.model is None:
        return [change]
    return [change, choose_model(core.clock, lane, None)]


async def _choices(scope: Scope) -> _Choices:
    lane, user_id, offered = scope.lane.key, scope.user.id, scope.config.personas

    def unit(conn: Connection) -> _Choices:
        settings = settings_of(conversations.active_in(conn, lane))
        return _Choices(offered, own_personas(conn, user_id), settings)

    return await scope.read(unit)
