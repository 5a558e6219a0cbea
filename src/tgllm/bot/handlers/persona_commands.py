"""What the model of a chat is told first: the commands ``/system`` and ``/persona``, and the buttons of personas."""

from dataclasses import replace

from tgllm.bot.commands import ParsedCommand, TableCommand
from tgllm.bot.keyboards import MARK, Button, Menu, page_number, page_of, pager, send_menu, show_menu
from tgllm.bot.presses import PressAction, Pressed
from tgllm.bot.scope import UpdateScope
from tgllm.config.personas import PersonaSetting
from tgllm.db import conversations
from tgllm.db.unit import Unit
from tgllm.i18n import Catalogue
from tgllm.services.chat_settings import ChatSettings, change_settings, settings_of
from tgllm.services.model_choices import choose_model

__all__ = ["persona_commands", "persona_presses"]

HOME = "personas"
"""First word of the data of the button that shows a page of personas; its number follows."""
CHOOSE = "persona"
"""The same for choosing one; its name follows, or ``NONE``."""
NONE = "-"


def persona_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """The rows for the command table."""
    return (
        TableCommand("system", lambda language: texts("command.system", language), "user", _system),
        TableCommand("persona", lambda language: texts("command.persona", language), "user", _persona),
    )


def persona_presses() -> tuple[PressAction, ...]:
    """The rows for the press table."""
    return (PressAction(HOME, _page), PressAction(CHOOSE, _choose))


async def _system(scope: UpdateScope, command: ParsedCommand) -> None:
    """Show the chat's instruction, set it, or take it away."""
    if not command.args:
        instruction = (await _settings(scope)).system
        await scope.reply(
            scope.text("persona.no_system")
            if instruction is None
            else scope.text("persona.system", instruction=instruction)
        )
        return
    instruction = None if command.args == NONE else command.args
    text = scope.text("persona.system_cleared" if instruction is None else "persona.system_set")
    await scope.reply(text, _change(scope, system=instruction))


async def _persona(scope: UpdateScope, command: ParsedCommand) -> None:
    """Show the personas, or choose the one that is named."""
    if not scope.parts.core.config.personas:
        await scope.reply(scope.text("persona.none_there"))
    elif not command.args:
        await send_menu(scope, await _menu(scope, 0))
    elif command.args == NONE or _named(scope, command.args) is not None:
        name = None if command.args == NONE else command.args
        await send_menu(scope, Menu(_chosen_text(scope, name)), *_effects(scope, name))
    else:
        await scope.reply(scope.text("persona.unknown", name=command.args[:64]))


async def _page(scope: UpdateScope, pressed: Pressed) -> str:
    await show_menu(scope, pressed, await _menu(scope, page_number(pressed.argument)))
    return ""


async def _choose(scope: UpdateScope, pressed: Pressed) -> str:
    name = None if pressed.argument == NONE else pressed.argument
    if name is not None and _named(scope, name) is None:
        return scope.text("persona.old")
    menu = Menu(_chosen_text(scope, name), [[Button(scope.text("persona.change"), HOME)]])
    await show_menu(scope, pressed, menu, *_effects(scope, name))
    return ""


async def _menu(scope: UpdateScope, number: int) -> Menu:
    """A page of the personas, with a mark on the chat's."""
    current = (await _settings(scope)).persona

    def button(name: str, label: str) -> Button:
        return Button((MARK if name == (current or NONE) else "") + label, f"{CHOOSE}:{name}")

    page = page_of(scope.parts.core.config.personas, number)
    rows = [[button(persona.name, persona.title or persona.name)] for persona in page.items]
    turn = pager(page, lambda to: f"{HOME}:{to}")
    return Menu(scope.text("persona.choose"), [*rows, *turn, [button(NONE, scope.text("persona.none"))]])


def _named(scope: UpdateScope, name: str) -> PersonaSetting | None:
    return next((persona for persona in scope.parts.core.config.personas if persona.name == name.casefold()), None)


def _chosen_text(scope: UpdateScope, name: str | None) -> str:
    persona = None if name is None else _named(scope, name)
    if persona is None:
        return scope.text("persona.taken_back")
    return scope.text("persona.chosen", persona=persona.title or persona.name)


def _effects(scope: UpdateScope, name: str | None) -> list[Unit]:
    """Choose a persona; with one that brings a model, the chat's own choice of a model ends."""
    persona = None if name is None else _named(scope, name)
    effects = [_change(scope, persona=None if persona is None else persona.name)]
    if persona is not None and persona.model is not None:
        effects.append(choose_model(scope.parts.core, scope.lane.key, None))
    return effects


def _change(scope: UpdateScope, **changes: str | None) -> Unit:
    return change_settings(scope.parts.core.clock, scope.lane.key, lambda before: replace(before, **changes))


async def _settings(scope: UpdateScope) -> ChatSettings:
    lane = scope.lane.key
    return await scope.parts.core.database.read(lambda conn: settings_of(conversations.active_in(conn, lane)))
