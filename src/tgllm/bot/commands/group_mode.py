"""The command ``/groupmode`` and its buttons: which messages of a group the bot answers."""

from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import MARK, Button, Menu, send_menu, show_menu
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.db.engine.unit import Unit
from tgllm.i18n import Catalogue
from tgllm.services.chats.group_mode import MODES, GroupMode, choose_group_mode, group_mode, parse_mode

__all__ = ["group_commands", "group_presses"]

CHOOSE = "groupmode"
"""First word of the data of the button that chooses a mode; the mode follows."""


def group_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the rows for the command table."""
    return (
        TableCommand(
            "groupmode",
            lambda language: texts("command.groupmode", language),
            "admin",
            _group_mode,
            only_groups=True,
            reads="bare",
        ),
    )


def group_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (PressAction(CHOOSE, _choose, "admin"),)


async def _group_mode(scope: Scope, command: ParsedCommand) -> None:
    """Show the mode of the group, or choose the mode in the argument."""
    mode = parse_mode(command.args.casefold())
    if not scope.chat.is_group:
        await scope.reply(scope.text("group.only_groups"))
    elif not command.args:
        current: GroupMode = await scope.read(lambda conn: group_mode(conn, scope.chat.id))
        await send_menu(scope, _menu(scope, current))
    elif mode is None:
        await scope.reply(scope.text("group.unknown", known=", ".join(MODES)))
    else:
        await send_menu(scope, _menu(scope, mode), _effect(scope, mode))


async def _choose(scope: Scope, pressed: Pressed) -> str:
    mode = parse_mode(pressed.argument)
    if mode is None or not scope.chat.is_group:
        return scope.text("group.old")
    await show_menu(scope, pressed, _menu(scope, mode), _effect(scope, mode))
    return ""


def _effect(scope: Scope, mode: GroupMode) -> Unit:
    return choose_group_mode(scope.clock, scope.chat.id, mode, scope.user.id)


def _menu(scope: Scope, current: GroupMode) -> Menu:
    def button(mode: GroupMode) -> Button:
        return Button((MARK if mode == current else "") + scope.text(f"group.name_{mode}"), f"{CHOOSE}:{mode}")

    text = "\n\n".join([scope.text("group.title"), scope.text(f"group.about_{current}")])
    return Menu(text, [[button(mode)] for mode in MODES])
