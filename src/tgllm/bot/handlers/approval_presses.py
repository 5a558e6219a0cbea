"""Buttons of the cards that ask for the approval of a call: the first valid press decides."""

from typing import cast, get_args

from tgllm.bot.scope import Scope
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.db.engine.unit import Connection
from tgllm.services.tools.approvals import Choice, Decided, Press
from tgllm.services.tools.cards import CARD, ToolCards

__all__ = ["approval_presses"]

_MOST_DIGITS = 18
_LOUD = frozenset(("foreign", "copy", "gone", "decided", "expired", "stopped", "ended"))
"""Results that people must read, so they are shown as a dialog: their press has changed nothing."""


def approval_presses() -> tuple[PressAction, ...]:
    """Return the row for the press table."""
    return (PressAction(CARD, _press, needs_place=False),)


async def _press(scope: Scope, pressed: Pressed) -> str:
    """Decide about the call of the button; callback data may be forged."""
    press = _read(scope, pressed)
    if press is None:
        return ""
    approvals, said = scope.core.approvals, list[tuple[Decided, str]]()

    def unit(conn: Connection) -> None:
        decided = approvals.decide(conn, press, scope.now)
        said.append((decided, _words(scope, conn, decided)))

    # The decision edits the card, whether or not there is anything else to send.
    await scope.end(unit)
    decided, text = said[-1]
    # After the commit: a turn that is woken reads what is stored.
    approvals.decided(decided.ids)
    if decided.result in _LOUD:
        await pressed.answer(text, alert=True)
    return text


def _read(scope: Scope, pressed: Pressed) -> Press | None:
    """Return the press; None if its data is no card's."""
    choice, _, numbers = pressed.argument.partition(":")
    first, _, second = numbers.partition(":")
    call_id, mark = _number(first), _number(second)
    if choice not in get_args(Choice) or call_id is None or mark is None:
        return None
    return Press(call_id, mark, cast("Choice", choice), scope.user, scope.chat.id, pressed.message_id)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def _words(scope: Scope, conn: Connection, decided: Decided) -> str:
    """Return what a press has done, or why it has done nothing."""
    call, result = decided.call, decided.result
    if call is None or result == "gone":
        return scope.text("approval.toast_gone")
    if result == "foreign" and call.approver == "admins":
        return scope.text("approval.toast_foreign_admins")
    if result == "foreign":
        return scope.text("approval.toast_foreign_asker", name=ToolCards.name(conn, call.user_id))
    if result == "decided":
        what = "denied" if call.state == "denied" else "approved"
        return scope.text(f"approval.toast_decided_{what}", by=ToolCards.name(conn, call.decided_by))
    return scope.text(f"approval.toast_{result}")
