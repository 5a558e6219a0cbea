"""The tables of buttons and of the bot's own commands."""

import pytest

from tgllm.bot.assembly import own_commands
from tgllm.bot.scope import Scope
from tgllm.bot.ui.press_table import PressAction, Pressed, PressTable
from tgllm.i18n import Catalogue
from tgllm.plugins.loading.clashes import CORE_COMMANDS


async def act(scope: Scope, pressed: Pressed) -> str:
    return pressed.argument


def test_an_action_is_found_by_the_first_word_of_the_data() -> None:
    action = PressAction("model", act)
    table = PressTable([action])
    assert table.find("model:gemini/flash:2") == (action, "gemini/flash:2")
    assert table.find("model") == (action, "")
    assert table.find("") == (None, "")
    assert table.find("models:1") == (None, "1")


def test_two_actions_of_one_word_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="model"):
        PressTable([PressAction("model", act), PressAction("model", act)])


def test_the_names_of_all_own_commands_are_kept_from_plugins() -> None:
    commands = list(own_commands(Catalogue()))
    names = [name for command in commands for name in (command.name, *command.aliases)]
    assert len(names) == len(set(names))
    assert set(names) == CORE_COMMANDS


def test_every_own_command_is_described_in_every_language() -> None:
    for command in own_commands(Catalogue(strict=True)):
        assert command.describe("en") != command.describe("ru")
