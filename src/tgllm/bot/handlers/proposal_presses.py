"""Buttons of the cards that ask whether a fact is to be remembered: the first press of the person decides."""

from tgllm.bot.delivery.fallbacks import formatted
from tgllm.bot.scope import Scope
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.bot.ui.proposal_cards import KEEP, fact_text
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.memory.proposals import Proposal
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.memory.proposals import Decided, decide
from tgllm.services.messaging.rows import call_row

__all__ = ["proposal_presses"]


def proposal_presses() -> tuple[PressAction, ...]:
    """Return the row for the press table."""
    return (PressAction(KEEP, _press),)


async def _press(scope: Scope, pressed: Pressed) -> str:
    """Decide about the proposal of the button, and show the result on the card; callback data may be forged."""
    numbers, _, answer = pressed.argument.rpartition(":")
    number, _, mark = numbers.partition(":")
    if not all(each.isascii() and each.isdecimal() and len(each) < 19 for each in (number, mark)):
        return ""
    found: list[Decided] = []

    def unit(conn: Connection) -> None:
        now = scope.now
        decided = decide(conn, int(number), int(mark), scope.lane, scope.user.id, keep=answer == "y", now=now)
        found.append(decided)
        outbox.add(conn, _edits(scope, pressed, decided), now)

    await scope.end(unit)
    return _told(scope, found[-1])


def _edits(scope: Scope, pressed: Pressed, decided: Decided) -> list[NewOutbox]:
    """Return the edit of a card that is over now; none if the press has changed nothing."""
    if decided.proposal is None or pressed.message_id is None or decided.refusal is not None:
        return []
    match decided.result:
        case "kept":
            heading = scope.text("proposal.kept")
        case "declined":
            heading = scope.text("proposal.declined")
        case "expired":
            heading = scope.text("proposal.expired")
        case _:
            return []
    return [_edit(scope, pressed.message_id, decided.proposal, heading)]


def _edit(scope: Scope, message_id: int, proposal: Proposal, heading: str) -> NewOutbox:
    text = fact_text(heading, proposal.text, scope.text("proposal.see"))
    return call_row(scope.lane, "editMessageText", formatted(text) | {"message_id": message_id}, kind="edit")


def _told(scope: Scope, decided: Decided) -> str:
    if decided.refusal is not None:
        return scope.error_text(decided.refusal)
    match decided.result:
        case "not_yours":
            return scope.text("proposal.not_yours")
        case "over":
            kept = decided.proposal is not None and decided.proposal.state == "kept"
            return scope.text("proposal.kept_before" if kept else "proposal.declined_before")
        case "unknown" | "expired":
            return scope.text("proposal.too_old")
        case _:
            return ""
