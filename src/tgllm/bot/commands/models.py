"""Choosing the model of a chat: the commands ``/model`` and ``/models``, and the buttons of the picker."""

from tgllm.api import ModelRef
from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import Menu, page_number, send_menu, show_menu
from tgllm.bot.ui.model_menu import CHOOSE, DEFAULT, FIND, HOME, LIST, MOST_QUERY, ModelMenus
from tgllm.bot.ui.model_words import nothing_found
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.i18n import Catalogue
from tgllm.services.models.choices import choose_model, load_choices, pick

__all__ = ["model_commands", "model_presses"]

MOST_LISTED = 40
"""Most models in a list of ``/models``."""
NO_CHOICE = frozenset({"-", DEFAULT})
"""Arguments that reset the choice."""


def model_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the rows for the command table."""
    return (
        TableCommand("model", lambda language: texts("command.model", language), "user", _model, reads="bare"),
        TableCommand("models", lambda language: texts("command.models", language), "user", _models, reads="always"),
    )


def model_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (
        PressAction(HOME, _home),
        PressAction(LIST, _list),
        PressAction(FIND, _find),
        PressAction(CHOOSE, _choose),
    )


async def _model(scope: Scope, command: ParsedCommand) -> None:
    """Show the picker, choose the model with that exact name, or search for the text."""
    await scope.core.models.fill_missing()
    menus = await _menus(scope)
    if not command.args:
        await send_menu(scope, menus.home() if menus.choices.models else Menu(scope.text("model_list.nothing")))
    elif command.args in NO_CHOICE:
        await _send_chosen(scope, None, menus.chosen_default())
    elif (ref := pick(scope.core.registry, menus.choices, command.args)) is not None:
        model = menus.choices.model(ref)
        unlisted = Menu(scope.text("model_list.chosen", model=ref))
        await _send_chosen(scope, ref, unlisted if model is None else menus.chosen(model))
    else:
        query = _query(command.args)
        await send_menu(scope, menus.found(query, 0) or Menu(nothing_found(scope.text, menus.choices, query)))


async def _models(scope: Scope, command: ParsedCommand) -> None:
    """List the models that match a text, or all, one a line."""
    await scope.core.models.fill_missing()
    menus = await _menus(scope)
    found = menus.choices.search(command.args)
    if not found:
        await scope.reply(nothing_found(scope.text, menus.choices, _query(command.args)))
        return
    lines = [menus.line(model) for model in found[:MOST_LISTED]]
    if len(found) > MOST_LISTED:
        word = found[0].provider
        lines += [
            "",
            scope.text("model_list.more", count=len(found) - MOST_LISTED),
            scope.text("model_list.narrow", word=word),
        ]
    await scope.reply("\n".join(lines))


async def _home(scope: Scope, pressed: Pressed) -> str:
    menus = await _menus(scope)
    await show_menu(scope, pressed, menus.home(page_number(pressed.argument)))
    return ""


async def _list(scope: Scope, pressed: Pressed) -> str:
    menus = await _menus(scope)
    key, _, number = pressed.argument.partition(":")
    provider = menus.choices.provider_by_key(key)
    if provider is None:
        return scope.text("model_list.old")
    await show_menu(scope, pressed, menus.of_provider(provider, page_number(number)))
    return ""


async def _find(scope: Scope, pressed: Pressed) -> str:
    menus = await _menus(scope)
    number, _, query = pressed.argument.partition(":")
    menu = menus.found(_query(query), page_number(number))
    if menu is None:
        return scope.text("model_list.old")
    await show_menu(scope, pressed, menu)
    return ""


async def _choose(scope: Scope, pressed: Pressed) -> str:
    menus = await _menus(scope)
    core, lane = scope.core, scope.lane.key
    if pressed.argument == DEFAULT:
        await show_menu(scope, pressed, menus.chosen_default(), choose_model(core.clock, lane, None))
        return ""
    model = menus.choices.model_by_key(pressed.argument)
    if model is None:
        return scope.text("model_list.old")
    await show_menu(scope, pressed, menus.chosen(model), choose_model(core.clock, lane, model.ref))
    return ""


async def _menus(scope: Scope) -> ModelMenus:
    core = scope.core
    choices = await load_choices(core.database, core.registry, core.config, scope.lane.key)
    # In a group, users who are not admins would see them too.
    show_locked = scope.user.is_admin and scope.chat.is_private
    return ModelMenus(choices, core.prices, core.texts, scope.language, show_locked)


async def _send_chosen(scope: Scope, ref: ModelRef | None, menu: Menu) -> None:
    await send_menu(scope, menu, choose_model(scope.clock, scope.lane.key, ref))


def _query(text: str) -> str:
    """Return a search text on one line, truncated to what fits into a button."""
    return " ".join(text.split()).encode()[:MOST_QUERY].decode(errors="ignore").strip()
