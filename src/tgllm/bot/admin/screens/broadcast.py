"""``/admin broadcast``: sends a message to all users, after a preview."""

from collections.abc import Iterator

from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import AdminCall, AdminCommand, Result
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import broadcasts
from tgllm.db.tables.broadcasts import Broadcast
from tgllm.services.broadcasts.decisions import PREVIEW_LIFE, Refusal, confirm, stop
from tgllm.services.common.text import MESSAGE_LIMIT

__all__ = ["broadcast_rows"]

SEND = "broadcast_send"
STOP = "broadcast_stop"
MOST_UNITS = MESSAGE_LIMIT - 300
"""Most UTF-16 units of a text: the preview shows it in one message, below an introduction."""


def broadcast_rows() -> Iterator[AdminCommand]:
    """Yield the rows for the admin table."""
    yield AdminCommand("broadcast", _preview, usage="<text>", dangerous=True, menu=True)
    yield AdminCommand(SEND, _send, usage="<number>", dangerous=True)
    # Not dangerous: a stop must not wait for a password.
    yield AdminCommand(STOP, _stop, usage="<number>")


async def _preview(call: AdminCall) -> Result:
    text = call.argument
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > MOST_UNITS:
        return Screen(call.text("admin.broadcast.too_long", count=MOST_UNITS))
    return lambda conn: _previewed(conn, call, text)


def _previewed(conn: Connection, call: AdminCall, text: str) -> Screen:
    people = broadcasts.count_people(conn, call.user.id, call.now)
    if not people:
        return Screen(call.text("admin.broadcast.nobody"))
    number = broadcasts.add_preview(
        conn,
        admin_id=call.user.id,
        text=text,
        lane=call.scope.lane.key,
        language=call.scope.language,
        expires_at=call.now + PREVIEW_LIFE,
        now=call.now,
    )
    time = call.scope.duration(PREVIEW_LIFE / 1000)
    shown = call.text("admin.broadcast.preview", count=people, time=time, number=number)
    buttons = [
        [admin_button(call.text("admin.broadcast.button_send", count=people), SEND, str(number))],
        [admin_button(call.text("admin.broadcast.button_drop"), STOP, str(number))],
    ]
    return Screen(f"{shown}\n\n{text}", buttons)


async def _send(call: AdminCall) -> Screen:
    """Start a broadcast in a separate transaction; repeating it after a crash does not start it again."""
    core, number = call.core, _number(call.argument)
    begun: Broadcast | Refusal = await call.scope.write(
        lambda conn: confirm(conn, core.texts, number, call.user.id, call.now)
    )
    if isinstance(begun, Broadcast):
        core.broadcaster.wake()
        return Screen(call.text("admin.broadcast.begun", number=number))
    return Screen(call.text(f"admin.broadcast.refused_{begun}"))


async def _stop(call: AdminCall) -> Screen:
    core, number = call.core, _number(call.argument)
    stopped = await call.scope.write(lambda conn: stop(conn, number, call.user.id, call.now))
    core.broadcaster.wake()
    text = call.text("admin.broadcast.stopped" if stopped else "admin.broadcast.nothing_to_stop")
    return Screen(text) if stopped or call.pressed is None else Screen(toast=text)


def _number(argument: str) -> int:
    return int(argument) if argument.isdecimal() and len(argument) < 18 else 0
