"""The buttons of answers: stop one that is being written, send again one that may not have arrived."""

from tgllm.bot.displays import STOP_DATA
from tgllm.bot.presses import PressAction, Pressed
from tgllm.bot.scope import UpdateScope
from tgllm.bot.steps import following, method_of
from tgllm.bot.uncertain import KEEP, RESEND
from tgllm.db import outbox
from tgllm.db.outbox import OutboxRow
from tgllm.db.unit import Connection

__all__ = ["answer_presses"]


def answer_presses() -> tuple[PressAction, ...]:
    """The rows for the press table."""
    return (PressAction(STOP_DATA, _stop), PressAction(RESEND, _resend), PressAction(KEEP, _keep))


async def _stop(scope: UpdateScope, _pressed: Pressed) -> str:
    stopped = scope.parts.core.running.stop(scope.lane.key)
    return "" if stopped else scope.text("turn.nothing_to_stop")


async def _resend(scope: UpdateScope, pressed: Pressed) -> str:
    """Send a message again that may not have arrived; only from the chat that it belongs to."""
    done = await _decide(scope, pressed.argument, again=True)
    return scope.text("send.resent") if done else ""


async def _keep(scope: UpdateScope, pressed: Pressed) -> str:
    done = await _decide(scope, pressed.argument, again=False)
    return scope.text("send.dropped") if done else ""


async def _decide(scope: UpdateScope, argument: str, *, again: bool) -> bool:
    if not argument.isdecimal() or len(argument) > 18:
        return False
    row_id = int(argument)
    row = await scope.parts.core.database.read(lambda conn: outbox.get(conn, row_id))
    if row is None or row.lane != scope.lane.key or row.state != "uncertain":
        return False
    if again:
        await scope.end(lambda conn: outbox.resend(conn, row_id))
        scope.parts.sender.wake()
    else:
        await scope.end(lambda conn: _go_on_after(conn, row))
        scope.parts.sender.wake()
    return True


def _go_on_after(conn: Connection, row: OutboxRow) -> None:
    """Do not send again what the person has; what the same row sends after it still goes out."""
    rest = following(row.payload)
    if rest is None:
        outbox.drop(conn, row.id, "the person has it")
    else:
        outbox.rewrite(conn, row.id, method=method_of(rest), kind="send", payload=rest, state="uncertain")
