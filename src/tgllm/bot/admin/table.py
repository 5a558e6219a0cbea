"""Admin table: the rows for ``/admin <name> <arguments>`` and for buttons with the data ``admin:<name> <argument>``.

Only this module decides whether a user may run a row, for texts and for presses: callback data may be forged, and
other members of a chat can press its buttons.
"""

import difflib
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tgllm.api import Access, DatabaseError, TgllmError, UserInfo
from tgllm.bot.admin.screen import SEPARATE, Screen
from tgllm.bot.scope import Scope, is_confidential
from tgllm.bot.ui.command_table import may_use
from tgllm.bot.ui.keyboards import Menu, menu_rows
from tgllm.bot.ui.press_table import Pressed
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.observe.logs import get_logger
from tgllm.services.bot_core import BotCore
from tgllm.services.common.actor import Actor

__all__ = ["HOME", "AdminCall", "AdminCommand", "AdminTable", "Guard", "Result"]

log = get_logger(__name__)

T = TypeVar("T")

HOME = "menu"
"""The row that is run without a name."""


@dataclass(frozen=True, slots=True)
class AdminCall:
    """A call of an admin command."""

    scope: Scope
    argument: str
    """Text after the name, stripped; may be forged."""
    pressed: Pressed | None = None
    """The button; None for a text command."""

    @property
    def user(self) -> UserInfo:
        """The user who runs it."""
        return self.scope.user

    @property
    def actor(self) -> Actor:
        """Who runs it, as the one who decides something."""
        return self.scope.actor

    @property
    def core(self) -> BotCore:
        """The services."""
        return self.scope.core

    @property
    def now(self) -> int:
        """UTC, in milliseconds."""
        return self.scope.now

    def read(self, query: Callable[[Connection], T]) -> Coroutine[Any, Any, T]:
        """Run a query; see ``Database.read``."""
        return self.scope.read(query)

    def text(self, key: str, **params: object) -> str:
        """Return a text of the catalogue in the admin's language."""
        return self.scope.text(key, **params)

    def says(self, text: str) -> Screen:
        """Return a screen with a short text: at the pressed button, or as a message."""
        return Screen(text) if self.pressed is None else Screen(toast=text)

    async def begin(self, toast: str) -> None:
        """Show a text at the pressed button at once, before slow work. Does nothing for a text command."""
        if self.pressed is not None:
            await self.pressed.answer(toast)


Result = Screen | Callable[[Connection], Screen]
"""A screen, or a unit for the transaction that finishes the update, which returns the screen.

The unit may change data and add outbox rows for other chats, and must read what it shows from the same connection. An
error that it raises rolls back the transaction.
"""


@dataclass(frozen=True, slots=True)
class AdminCommand:
    """A row of the table, described in the catalogue by ``admin.<name>.about``."""

    name: str
    """In lower case, without white space."""
    run: Callable[[AdminCall], Awaitable[Result]]
    """Runs the row. A ``TgllmError`` that it raises is shown to the admin with its text from the catalogue."""
    usage: str = ""
    """Its arguments, such as ``<user> [days]``; the same in every language. If the first one is required and missing,
    the usage is shown instead of running the row."""
    access: Access = "admin"
    """The lowest role that may run it: ``admin`` or ``owner``."""
    dangerous: bool | Callable[[AdminCall], Awaitable[bool]] = False
    """Whether it requires the admin password, if one is set; a function if that depends on the argument."""
    menu: bool = False
    """Whether the menu of ``/admin`` has a button for it, labelled ``admin.<name>.label``."""
    anywhere: bool = False
    """Whether it may be used in every group, because it shows nothing confidential. Other rows answer only in private
    and in the admin chat."""


Guard = Callable[[AdminCommand, AdminCall], Awaitable[Result | None]]
"""Called before a dangerous row is run: None runs the row, a result is shown instead."""


class AdminTable:
    """Finds rows by name and runs them for authorized users."""

    def __init__(self, rows: Iterable[AdminCommand], guard: Guard | None = None) -> None:
        """Build the table.

        Args:
            rows: in the order in which lists show them.
            guard: called before dangerous rows; without one they are run like all others.

        Raises:
            ValueError: two rows have the same name.
        """
        self._rows: dict[str, AdminCommand] = {}
        self._guard = guard
        for row in rows:
            if row.name in self._rows:
                raise ValueError(f"two admin commands are called {row.name!r}")
            self._rows[row.name] = row

    @property
    def rows(self) -> Sequence[AdminCommand]:
        """All rows."""
        return tuple(self._rows.values())

    async def run(self, scope: Scope, line: str, pressed: Pressed | None = None) -> str:
        """Run a row and end the update.

        Args:
            scope: the update.
            line: name and arguments.
            pressed: the button; None for a text command.

        Returns:
            A text to show at the button, possibly empty.
        """
        if pressed is not None and line.endswith(SEPARATE):
            line, pressed = line.removesuffix(SEPARATE), None
        name, argument = (*line.split(maxsplit=1), "", "")[:2]
        call = AdminCall(scope, argument.strip(), pressed)
        row = self._rows.get(name.lower() or HOME)
        if row is None:
            return await _end(call, call.says(self._unknown(name, call)))
        try:
            return await _end(call, await self._result(row, call))
        except DatabaseError:
            raise
        except TgllmError as error:
            log.info("admin.refused", command=row.name, reason=str(error))
            return await _end(call, call.says(scope.error_text(error)))

    async def _result(self, row: AdminCommand, call: AdminCall) -> Result:
        """Run a row and return its result; return a refusal if the user may not run it here."""
        if not may_use(call.user, row.access):
            return call.says(call.text(f"access.not_{row.access}"))
        if not (row.anywhere or await is_confidential(call.scope)):
            return call.says(call.text("admin.not_here"))
        if row.usage.startswith("<") and not call.argument:
            about = call.text(f"admin.{row.name}.about")
            return call.says(call.text("admin.usage", command=f"{row.name} {row.usage}", about=about))
        asked = await self._ask(row, call)
        return await row.run(call) if asked is None else asked

    async def _ask(self, row: AdminCommand, call: AdminCall) -> Result | None:
        """Return the guard's result for a dangerous row; None to run the row."""
        dangerous = row.dangerous if isinstance(row.dangerous, bool) else await row.dangerous(call)
        return await self._guard(row, call) if dangerous and self._guard is not None else None

    def _unknown(self, name: str, call: AdminCall) -> str:
        """Return the text on an unknown name, with the most similar row that the user may run."""
        known = [row.name for row in self._rows.values() if may_use(call.user, row.access)]
        near = difflib.get_close_matches(name.lower(), known, n=1)
        if near:
            return call.text("admin.unknown_near", name=name, nearest=near[0])
        return call.text("admin.unknown", name=name)


async def _end(call: AdminCall, result: Result) -> str:
    """Finish the update in one transaction that runs the unit and adds the screen."""
    shown = list[Screen]()

    def unit(conn: Connection) -> None:
        screen = result if isinstance(result, Screen) else result(conn)
        if screen.text:
            pressed = None if screen.separate else call.pressed
            outbox.add(conn, menu_rows(call.scope, Menu(screen.text, screen.keyboard), pressed), call.now)
        shown.append(screen)

    await call.scope.end(unit)
    screen = shown[-1]
    if screen.after is not None:
        screen.after()
    return screen.toast
