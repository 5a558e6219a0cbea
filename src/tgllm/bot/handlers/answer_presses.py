"""Buttons of answers: stop one that is being written, resend one that may not have arrived."""

from tgllm.bot.delivery.fallbacks import following, method_of
from tgllm.bot.delivery.rows import without_buttons
from tgllm.bot.delivery.uncertain import KEEP, RESEND
from tgllm.bot.scope import Scope
from tgllm.bot.streaming.displays import STOP_DATA
from tgllm.bot.turns.ownership import is_theirs, name_of, not_theirs
from tgllm.bot.turns.stopping import stop_answer
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import messages, outbox
from tgllm.db.tables.outbox import OutboxRow

__all__ = ["answer_presses"]


def answer_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (PressAction(STOP_DATA, _stop), PressAction(RESEND, _resend), PressAction(KEEP, _keep))


async def _stop(scope: Scope, _pressed: Pressed) -> str:
    return await stop_answer(scope, also_next=False)


async def _resend(scope: Scope, pressed: Pressed) -> str:
    """Resend an uncertain message; only from its own chat."""
    return await _decide(scope, pressed, again=True)


async def _keep(scope: Scope, pressed: Pressed) -> str:
    return await _decide(scope, pressed, again=False)


async def _decide(scope: Scope, pressed: Pressed, *, again: bool) -> str:
    """Resend or keep a message. The first press counts; each removes its buttons: the notice may be there twice."""
    argument = pressed.argument
    if not argument.isdecimal() or len(argument) > 18:
        return ""
    row, asker_id, name = await scope.read(lambda conn: _row_and_asker(conn, int(argument)))
    if row is None or row.lane != scope.lane.key:
        return ""
    if not is_theirs(scope, asker_id):
        return not_theirs(scope, name)
    buttons_gone = [] if pressed.message_id is None else [without_buttons(scope.lane, pressed.message_id)]
    if row.state != "uncertain":
        await scope.end(replies=buttons_gone)
        return ""
    await scope.end(
        lambda conn: outbox.resend(conn, row.id) if again else _go_on_after(conn, row), replies=buttons_gone
    )
    return scope.text("send.resent" if again else "send.dropped")


def _row_and_asker(conn: Connection, row_id: int) -> tuple[OutboxRow | None, int | None, str]:
    """Return a message's row, and for an answer the id and the name of the user who asked for it."""
    row = outbox.get(conn, row_id)
    said = [] if row is None or row.turn_id is None else messages.of_turn(conn, row.turn_id)
    asker_id = said[0].user_id if said else None
    return row, asker_id, name_of(conn, asker_id)


def _go_on_after(conn: Connection, row: OutboxRow) -> None:
    """Skip the message that has arrived; what the same row sends after it is still sent."""
    rest = following(row.payload)
    if rest is None:
        outbox.drop(conn, row.id, "the person has it")
    else:
        outbox.rewrite(conn, row.id, method=method_of(rest), kind="send", payload=rest, state="uncertain")
