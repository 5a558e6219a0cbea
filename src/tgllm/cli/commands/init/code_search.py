"""Waits until an admin sends the code to the bot. Updates of other people stay with Telegram."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from tgllm.api.clock import Clock
from tgllm.bot.telegram.account import MOST_UPDATES, Account, AccountError, open_account
from tgllm.services.setup.admin_code import AdminCode, Found, confirmable

__all__ = ["SearchEnd", "greet", "search"]

_POLL_SECONDS: Final = 20
_PAUSE_SECONDS: Final = 1.0
"""Pause between looks while updates wait that can't be confirmed, with which each look ends at once."""
_RETRY_SECONDS: Final = 3.0
_MESSAGES: Final = "message"

Say = Callable[[str, str], None]
"""Prints a text by its key, with one parameter ``detail``."""


@dataclass(frozen=True, slots=True)
class SearchEnd:
    """How a search ended."""

    end: Literal["found", "timeout", "full", "stopped"]
    """``full``: so many updates wait that the code can't be seen; ``stopped``: by Enter, in a terminal."""
    found: Found | None = None
    confirmed: int | None = None
    """Update up to which Telegram may forget; None if another person's update is in front."""


async def search(
    token: str, api: str, code: AdminCode, clock: Clock, say: Say, *, seconds: int, allowed: Sequence[str]
) -> SearchEnd:
    """Wait for the code.

    Args:
        token: the bot's.
        api: address of the Bot API server.
        code: the code; it is replaced if others have seen it.
        clock: for pauses.
        say: told about wrong codes, groups and failures, while waiting.
        seconds: how long to wait.
        allowed: update types that Telegram keeps for the bot; empty for the default ones.

    Raises:
        AccountError: another program fetches the updates, or the token is refused.
    """
    # A list without messages would hide the code; an empty one means the default types. Bot API: getUpdates.
    kinds: list[str] | None = [] if allowed and _MESSAGES not in allowed else None
    async with open_account(token, api) as account, _enter() as pressed:
        looking = asyncio.create_task(_look(account, code, clock, say, kinds, clock.monotonic() + seconds))
        try:
            await asyncio.wait({looking, pressed}, return_when=asyncio.FIRST_COMPLETED)
            return await looking if looking.done() else SearchEnd("stopped")
        finally:
            looking.cancel()
            await asyncio.wait({looking})


async def greet(token: str, api: str, user_id: int, text: str, confirmed: int | None) -> None:
    """Answer the admin, and confirm the messages of the set-up; failures change nothing."""
    async with open_account(token, api) as account:
        try:
            await account.send(user_id, text)
            if confirmed is not None:
                await account.confirm(confirmed)
        except AccountError:
            return


async def _look(
    account: Account, code: AdminCode, clock: Clock, say: Say, kinds: Sequence[str] | None, deadline: float
) -> SearchEnd:
    has_failed = False
    while (left := deadline - clock.monotonic()) > 0:
        try:
            updates = await account.waiting(max(1, min(_POLL_SECONDS, int(left))), kinds)
        except AccountError as error:
            if error.problem in {"token", "webhook", "poller"}:
                raise
            if not has_failed:
                say("init.search_failed", str(error))
            has_failed = True
            await clock.sleep(_RETRY_SECONDS)
            continue
        has_failed = False
        if (right := _report(code, code.look(updates), say)) is not None:
            return SearchEnd("found", right, confirmable(updates, right))
        if len(updates) >= MOST_UPDATES:
            return SearchEnd("full")
        if updates:
            await clock.sleep(_PAUSE_SECONDS)
    return SearchEnd("timeout")


def _report(code: AdminCode, found: Sequence[Found], say: Say) -> Found | None:
    """Say what was found, and replace the code if others may know it; return the right one."""
    for each in found:
        if each.finding == "right":
            return each
        say(f"init.code_{each.finding}", str(each))
        if each.finding == "group" or code.is_worn:
            code.renew()
            say("init.code_new", code.text)
    return None


@asynccontextmanager
async def _enter() -> AsyncGenerator[asyncio.Future[Any]]:
    """A future that is done when Enter is pressed in a terminal; never with other input."""
    loop = asyncio.get_running_loop()
    pressed: asyncio.Future[Any] = loop.create_future()
    is_terminal = sys.stdin.isatty()

    def read() -> None:
        loop.remove_reader(sys.stdin)
        sys.stdin.readline()
        if not pressed.done():
            pressed.set_result(None)

    if is_terminal:
        loop.add_reader(sys.stdin, read)
    try:
        yield pressed
    finally:
        if is_terminal:
            loop.remove_reader(sys.stdin)
        pressed.cancel()
