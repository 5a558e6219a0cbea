"""The command table: every command of the chat, by name, from plugins and from the bot itself."""

import difflib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from tgllm.api import Access, ChatInfo, CommandInfo, UserInfo
from tgllm.bot.scope import Scope
from tgllm.bot.updates.command import ParsedCommand, parse_command

__all__ = ["CommandTable", "LiveCommands", "ParsedCommand", "TableCommand", "may_use", "parse_command"]

Run = Callable[[Scope, "ParsedCommand"], Awaitable[None]]

_RANK = {"guest": 0, "user": 0, "admin": 1, "owner": 2}


@dataclass(frozen=True, slots=True)
class TableCommand:
    """A row of the table."""

    name: str
    describe: Callable[[str], str]
    """The description in a language."""
    access: Access
    run: Run
    aliases: tuple[str, ...] = ()
    only_groups: bool = False
    """Whether it means nothing in a private chat, so that help leaves it out there."""


def may_use(user: UserInfo, access: Access) -> bool:
    """Whether the person's role is high enough."""
    return user.role is not None and _RANK[user.role] >= _RANK.get(access, 2)


class CommandTable:
    """Looks commands up by name or alias."""

    def __init__(self, commands: Iterable[TableCommand]) -> None:
        """Build the table; the host has seen to it that names are unique."""
        self._commands: dict[str, TableCommand] = {}
        self._names: dict[str, TableCommand] = {}
        for command in commands:
            self._commands[command.name] = command
            for name in (command.name, *command.aliases):
                self._names.setdefault(name, command)

    def find(self, name: str) -> TableCommand | None:
        """The command of that name."""
        return self._names.get(name)

    def nearest(self, name: str, user: UserInfo) -> str | None:
        """The name that somebody may have meant, among those that they may use."""
        usable = [known for known, command in self._names.items() if may_use(user, command.access)]
        near = difflib.get_close_matches(name, usable, n=1)
        return near[0] if near else None

    def for_user(self, user: UserInfo, chat: ChatInfo | None = None) -> tuple[CommandInfo, ...]:
        """What the person may use in that chat, or anywhere, in the order of the table, described in their language."""
        is_private = chat is not None and chat.is_private
        return tuple(
            CommandInfo(command.name, command.describe(user.language), command.access)
            for command in self._commands.values()
            if may_use(user, command.access) and not (is_private and command.only_groups)
        )


class LiveCommands:
    """The command table as it is now: the rows of a plugin go when the plugin is quarantined."""

    def __init__(self, revision: Callable[[], int], rows: Callable[[], Iterable[TableCommand]]) -> None:
        """Build the table when it is first asked for.

        Args:
            revision: changes whenever ``rows`` would.
            rows: all commands, in the order in which help lists them.
        """
        self._current_revision = revision
        self._rows = rows
        self._revision: int | None = None
        self._table = CommandTable(())

    @property
    def table(self) -> CommandTable:
        """The table; ask again for each update."""
        if self._revision != self._current_revision():
            self._revision = self._current_revision()
            self._table = CommandTable(self._rows())
        return self._table
