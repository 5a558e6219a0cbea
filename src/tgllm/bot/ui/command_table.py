"""Command table: all chat commands by name, of the bot and of plugins."""

import difflib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from tgllm.api import Access, ChatInfo, CommandInfo, UserInfo
from tgllm.bot.scope import Scope
from tgllm.bot.updates.command import ParsedCommand, parse_command

__all__ = ["CommandTable", "LiveCommands", "ParsedCommand", "Reads", "TableCommand", "may_use", "parse_command"]

Run = Callable[[Scope, "ParsedCommand"], Awaitable[None]]

Reads = Literal["never", "bare", "always"]
"""When a command only reads: never, without arguments, or always."""

_RANK = {"guest": 0, "user": 0, "admin": 1, "owner": 2}


@dataclass(frozen=True, slots=True)
class TableCommand:
    """A row of the table."""

    name: str
    describe: Callable[[str], str]
    """Returns the description in a language."""
    access: Access
    run: Run
    aliases: tuple[str, ...] = ()
    only_groups: bool = False
    """Whether it has no effect in a private chat, where help leaves it out."""
    reads: Reads = "never"
    """When it changes nothing, so that it need not wait for a running answer."""
    group: Callable[[str], str] = str
    """Returns the title of its group in help, in a language."""


def may_use(user: UserInfo, access: Access) -> bool:
    """Return whether the user's role is high enough; an unknown ``access`` requires an owner."""
    return user.role is not None and _RANK[user.role] >= _RANK.get(access, 2)


class CommandTable:
    """Looks commands up by name or alias."""

    def __init__(self, commands: Iterable[TableCommand]) -> None:
        """Build the table; the plugin host has checked that names are unique."""
        self._commands: dict[str, TableCommand] = {}
        self._names: dict[str, TableCommand] = {}
        for command in commands:
            self._commands[command.name] = command
            for name in (command.name, *command.aliases):
                self._names.setdefault(name, command)

    def find(self, name: str) -> TableCommand | None:
        """Return the command with that name or alias."""
        return self._names.get(name)

    @property
    def reads(self) -> Mapping[str, Reads]:
        """When each command only reads, by name and alias."""
        return {name: command.reads for name, command in self._names.items()}

    def nearest(self, name: str, user: UserInfo) -> str | None:
        """Return the most similar name of a command that the user may use; None if none is similar."""
        usable = [known for known, command in self._names.items() if may_use(user, command.access)]
        near = difflib.get_close_matches(name, usable, n=1)
        return near[0] if near else None

    def for_user(self, user: UserInfo, chat: ChatInfo | None = None) -> tuple[CommandInfo, ...]:
        """Return the commands that the user may use, in table order, described in their language.

        With a ``chat`` that is not a group, commands that are only for groups are left out.
        """
        is_group = chat is None or chat.is_group
        return tuple(
            CommandInfo(command.name, command.describe(user.language), command.access, command.group(user.language))
            for command in self._commands.values()
            if may_use(user, command.access) and (is_group or not command.only_groups)
        )


class LiveCommands:
    """The current command table: a quarantined plugin's rows are removed."""

    def __init__(self, revision: Callable[[], int], rows: Callable[[], Iterable[TableCommand]]) -> None:
        """Build the table lazily.

        Args:
            revision: returns a number that changes whenever the result of ``rows`` does.
            rows: returns all commands, in the order in which help lists them.
        """
        self._current_revision = revision
        self._rows = rows
        self._revision: int | None = None
        self._table = CommandTable(())

    @property
    def table(self) -> CommandTable:
        """Current table; read it again for each update."""
        if self._revision != self._current_revision():
            self._revision = self._current_revision()
            self._table = CommandTable(self._rows())
        return self._table
