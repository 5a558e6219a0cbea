"""Menus of commands by role and language, built once for each command table."""

import hashlib
import json
from dataclasses import dataclass, field

from tgllm.api import Role, UserInfo
from tgllm.bot.ui.command_table import CommandTable, LiveCommands
from tgllm.services.common.text import clip

__all__ = ["CommandMenu", "MenuBuilder"]

MOST_COMMANDS = 100
MOST_DESCRIPTION = 256
"""Most UTF-16 units of a description. Both: Bot API, setMyCommands and BotCommand."""


@dataclass(frozen=True, slots=True)
class CommandMenu:
    """A menu of commands."""

    commands: tuple[tuple[str, str], ...]
    """Names and descriptions."""
    digest: str = field(init=False)
    """Hash of the commands, stable across runs of the program."""

    def __post_init__(self) -> None:
        """Compute the digest."""
        object.__setattr__(self, "digest", hashlib.sha256(json.dumps(self.commands).encode()).hexdigest())


class MenuBuilder:
    """Builds menus from the command table, and caches them until the table changes."""

    def __init__(self, commands: LiveCommands) -> None:
        self._commands = commands
        self._table: CommandTable | None = None
        self._built: dict[tuple[Role, str], CommandMenu] = {}

    def menu(self, role: Role, language: str) -> CommandMenu:
        """Return the menu for users of that role, described in that language."""
        table = self._commands.table
        if table is not self._table:
            self._table, self._built = table, {}
        found = self._built.get((role, language))
        if found is None:
            found = self._built[role, language] = _build(table, role, language)
        return found


def _build(table: CommandTable, role: Role, language: str) -> CommandMenu:
    usable = table.for_user(UserInfo(0, "", role, language=language))
    return CommandMenu(tuple((info.name, clip(info.description, MOST_DESCRIPTION)) for info in usable[:MOST_COMMANDS]))
