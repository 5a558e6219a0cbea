"""Cards that ask a person whether a fact is to be remembered."""

from tgllm.bot.delivery.fallbacks import formatted
from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.scope import Scope
from tgllm.bot.ui.styled import StyledText
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import outbox
from tgllm.db.tables.memory import proposals
from tgllm.db.tables.memory.proposals import Proposal
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.messaging.rows import buttons, call_row

__all__ = ["KEEP", "asking", "fact_text"]

KEEP = "keepfact"
"""First word of the data of the buttons; the id of the proposal, its mark, and the decision follow."""


def asking(scope: Scope, turn_id: str) -> Unit:
    """Return the unit that sends the cards of a turn, for the transaction that stores its answer."""

    def unit(conn: Connection) -> None:
        waiting = proposals.unasked(conn, turn_id)
        if waiting:
            outbox.add(conn, [_card(scope, each) for each in waiting], scope.now)
            for each in waiting:
                proposals.set_state(conn, each.id, "open", "new")

    return unit


def fact_text(heading: str, fact: str, footing: str) -> EntityText:
    """Return the text of a card: the fact as it would be kept, in which nothing can be pressed."""
    return StyledText().add(f"{heading}\n\n").add(fact, "code").add(f"\n\n{footing}").text()


def _card(scope: Scope, proposal: Proposal) -> NewOutbox:
    place = scope.text("proposal.everywhere" if scope.chat.is_private else "proposal.in_group")
    shown = fact_text(scope.text("proposal.ask"), proposal.text, place)
    data = f"{KEEP}:{proposal.id}:{proposal.mark}"
    keyboard = buttons([[(scope.text("proposal.keep"), f"{data}:y"), (scope.text("proposal.no"), f"{data}:n")]])
    return call_row(scope.lane, "sendMessage", formatted(shown) | {"reply_markup": keyboard})
