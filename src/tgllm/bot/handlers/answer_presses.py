"""The buttons of answers: stop one that is being written, send again one that may not have arrived."""

from tgllm.bot.displays import STOP_DATA
from tgllm.bot.presses import PressAction, Pressed
from tgllm.bot.scope import UpdateScope
from tgllm.bot.uncertain import KEEP, RESEND
from tgllm.db import outbox

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
        await scope.end(lambda conn: outbox.drop(conn, row_id, "the person has it"))
    return True
