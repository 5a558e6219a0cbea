"""The menu of commands for a role in a language, built once for each command table."""

import hashlib
import json
from dataclasses import dataclass, field

from tgllm.api import Role, UserInfo
from tgllm.bot.ui.command_table import CommandTable, LiveCommands
from tgllm.services.common.text import clip

__all__ = ["CommandMenu", "MenuBuilder"]

MOST_COMMANDS = 100
MOST_DESCRIPTION = 256
"""UTF-16 units. Both: Bot API, setMyCommands and BotCommand."""


@dataclass(frozen=True, slots=True)
class CommandMenu:
    """A menu of commands."""

    commands: tuple[tuple[str, str], ...]
    """Names and descriptions."""
    digest: str = field(init=False)
    """Tells it from all other menus, also of another run of the program."""

    def __post_init__(self) -> None:
        """Compute the digest."""
        object.__setattr__(self, "digest", hashlib.sha256(json.dumps(self.commands).encode()).hexdigest())


class MenuBuilder:
    """Builds menus from the command table, and keeps them until the table is another one."""

    def __init__(self, commands: LiveCommands) -> None:
        """Build from these commands."""
        self._commands = commands
        self._table: CommandTable | None = None
        self._built: dict[tuple[Role, str], CommandMenu] = {}

    def menu(self, role: Role, language: str) -> CommandMenu:
        """Return the menu for people of that role, described in that language."""
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
