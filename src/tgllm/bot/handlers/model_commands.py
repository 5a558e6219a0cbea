"""Choosing the model of a chat: the commands ``/model`` and ``/models``, and the buttons of the picker."""

import difflib

from tgllm.api import ModelRef
from tgllm.bot.commands import ParsedCommand, TableCommand
from tgllm.bot.keyboards import Menu, page_number, send_menu, show_menu
from tgllm.bot.model_menu import CHOOSE, DEFAULT, FIND, HOME, LIST, MOST_QUERY, ModelMenus
from tgllm.bot.presses import PressAction, Pressed
from tgllm.bot.scope import UpdateScope
from tgllm.db.models import Model
from tgllm.i18n import Catalogue
from tgllm.services.model_choices import ModelChoices, choose_model, load_choices, parse_ref

__all__ = ["model_commands", "model_presses"]

MOST_LISTED = 40
"""Models in one list of ``/models``."""
NO_CHOICE = frozenset({"-", DEFAULT})
"""What takes a choice back."""


def model_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """The rows for the command table."""
    return (
        TableCommand("model", lambda language: texts("command.model", language), "user", _model),
        TableCommand("models", lambda language: texts("command.models", language), "user", _models),
    )


def model_presses() -> tuple[PressAction, ...]:
    """The rows for the press table."""
    return (
        PressAction(HOME, _home),
        PressAction(LIST, _list),
        PressAction(FIND, _find),
        PressAction(CHOOSE, _choose),
    )


async def _model(scope: UpdateScope, command: ParsedCommand) -> None:
    """Show the picker, search for a text, or choose what is named exactly."""
    await scope.parts.core.models.fill_missing()
    menus = await _menus(scope)
    if not command.args:
        await send_menu(scope, menus.home() if menus.choices.models else Menu(scope.text("model_list.nothing")))
    elif command.args in NO_CHOICE:
        await _send_chosen(scope, None, menus.chosen_default())
    elif (model := _exact(scope, menus.choices, command.args)) is not None:
        await _send_chosen(scope, model.ref, menus.chosen(model))
    elif (ref := _unlisted(scope, menus.choices, command.args)) is not None:
        await _send_chosen(scope, ref, Menu(scope.text("model_list.chosen", model=ref)))
    else:
        query = _query(command.args)
        await send_menu(scope, menus.found(query, 0) or Menu(_nothing_found(scope, menus.choices, query)))


async def _models(scope: UpdateScope, command: ParsedCommand) -> None:
    """List the models that hold a text, or all, one a line."""
    await scope.parts.core.models.fill_missing()
    menus = await _menus(scope)
    found = menus.choices.search(command.args)
    if not found:
        await scope.reply(_nothing_found(scope, menus.choices, _query(command.args)))
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


async def _home(scope: UpdateScope, pressed: Pressed) -> str:
    menus = await _menus(scope)
    await show_menu(scope, pressed, menus.home(page_number(pressed.argument)))
    return ""


async def _list(scope: UpdateScope, pressed: Pressed) -> str:
    menus = await _menus(scope)
    key, _, number = pressed.argument.partition(":")
    provider = menus.choices.provider_by_key(key)
    if provider is None:
        return scope.text("model_list.old")
    await show_menu(scope, pressed, menus.of_provider(provider, page_number(number)))
    return ""


async def _find(scope: UpdateScope, pressed: Pressed) -> str:
    menus = await _menus(scope)
    number, _, query = pressed.argument.partition(":")
    menu = menus.found(_query(query), page_number(number))
    if menu is None:
        return scope.text("model_list.old")
    await show_menu(scope, pressed, menu)
    return ""


async def _choose(scope: UpdateScope, pressed: Pressed) -> str:
    menus = await _menus(scope)
    core, lane = scope.parts.core, scope.lane.key
    if pressed.argument == DEFAULT:
        await show_menu(scope, pressed, menus.chosen_default(), choose_model(core, lane, None))
        return ""
    model = menus.choices.model_by_key(pressed.argument)
    if model is None:
        return scope.text("model_list.old")
    await show_menu(scope, pressed, menus.chosen(model), choose_model(core, lane, model.ref))
    return ""


async def _menus(scope: UpdateScope) -> ModelMenus:
    core, user = scope.parts.core, scope.user
    choices = await load_choices(core, scope.lane.key)
    # In a group others read along, who are no admins.
    show_locked = user is not None and user.is_admin and scope.chat.is_private
    return ModelMenus(choices, core.prices, core.texts, scope.language, show_locked)


async def _send_chosen(scope: UpdateScope, ref: ModelRef | None, menu: Menu) -> None:
    await send_menu(scope, menu, choose_model(scope.parts.core, scope.lane.key, ref))


def _exact(scope: UpdateScope, choices: ModelChoices, text: str) -> Model | None:
    """The model that the text names exactly: by reference, id or alias."""
    ref = parse_ref(scope.parts.core, text)
    return (choices.model(ref) if ref is not None else None) or choices.named(text)


def _unlisted(scope: UpdateScope, choices: ModelChoices, text: str) -> ModelRef | None:
    """A reference to a model of a provider that can answer, but can't say what models it has."""
    ref = parse_ref(scope.parts.core, text)
    if ref is None or not choices.is_ready(ref.provider) or choices.of_provider(ref.provider):
        return None
    return ref


def _nothing_found(scope: UpdateScope, choices: ModelChoices, query: str) -> str:
    names = [str(model.ref) for model in choices.models] + [model.model for model in choices.models]
    near = difflib.get_close_matches(query, names, n=3)
    if near:
        return scope.text("model_list.none_near", query=query, models=", ".join(near))
    return scope.text("model_list.none_found", query=query)


def _query(text: str) -> str:
    """As much of a searched text as fits into a button, on one line."""
    return " ".join(text.split()).encode()[:MOST_QUERY].decode(errors="ignore").strip()
