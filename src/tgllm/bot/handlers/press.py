"""Button presses: looked up by the first word of their callback data."""

from collections.abc import Awaitable, Callable, Mapping

from aiogram.exceptions import AiogramError
from aiogram.types import CallbackQuery

from tgllm.bot.displays import STOP_DATA
from tgllm.bot.scope import UpdateScope
from tgllm.bot.uncertain import KEEP, RESEND
from tgllm.db import outbox
from tgllm.observe.logs import get_logger

__all__ = ["handle_press"]

log = get_logger(__name__)

Action = Callable[[UpdateScope, str], Awaitable[str]]
"""Does what a button says, ends the update, and returns a text to show at the button."""


async def handle_press(event: CallbackQuery, scope: UpdateScope) -> None:
    """Do what the button says. Data that no button of ours has is answered and otherwise ignored."""
    word, _, argument = (event.data or "").partition(":")
    action = _ACTIONS.get(word)
    text = await action(scope, argument) if action is not None else ""
    try:
        await scope.parts.bot.answer_callback_query(event.id, text=text or None)
    except AiogramError as error:
        # Telegram forgets presses after a while; then there is nobody to answer.
        log.info("press.not_answered", error=type(error).__name__)


async def _stop(scope: UpdateScope, _argument: str) -> str:
    stopped = scope.parts.core.running.stop(scope.lane.key)
    return "" if stopped else scope.text("turn.nothing_to_stop")


async def _resend(scope: UpdateScope, argument: str) -> str:
    """Send a message again that may not have arrived; only from the chat that it belongs to."""
    done = await _decide(scope, argument, again=True)
    return scope.text("send.resent") if done else ""


async def _keep(scope: UpdateScope, argument: str) -> str:
    done = await _decide(scope, argument, again=False)
    return scope.text("send.dropped") if done else ""


async def _decide(scope: UpdateScope, argument: str, *, again: bool) -> bool:
    if not argument.isdecimal():
        return False
    row_id = int(argument)
    row = await scope.parts.core.database.read(lambda conn: outbox.get(conn, row_id))
    if row is None or row.lane != scope.lane.key or row.state != "uncertain":
        return False
    if again:
        await scope.end(lambda conn: outbox.resend(conn, row_id))
        scope.parts.sender.wake()
    else:
        await scope.end(lambda conn: outbox.drop(conn, row_id, "the person has it"))
    return True


_ACTIONS: Mapping[str, Action] = {STOP_DATA: _stop, RESEND: _resend, KEEP: _keep}
