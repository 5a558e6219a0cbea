"""What a turn reads first; for most questions it is read ahead, in the transaction that claims their update."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tgllm.services.budgets.budget import Budget
from tgllm.services.conversations.loader import TurnContext
from tgllm.services.conversations.turn import Turn

if TYPE_CHECKING:
    from tgllm.db.tables.models import Model
    from tgllm.services.tools.offering import Offer

__all__ = ["Opening", "ReadAhead"]


@dataclass(frozen=True, slots=True)
class Opening:
    """State of the database at the start of a turn."""

    turn: Turn
    """The turn, or another one in the same place of the same person."""
    context: TurnContext
    budgets: Sequence[Budget]
    """Those on which the turn counts."""
    model: "Model | None"
    """Stored row of the context's model; read only if there are budgets."""
    is_approved: bool
    """Whether the person has access in the chat."""
    offer: "Offer"
    """Tools that the turn may use."""
    has_rounds: bool = False
    """Whether rounds of any turn are stored, so that the turn may go on with some."""

    def holds_for(self, turn: Turn) -> bool:
        """Return whether the same would be read for another turn."""
        mine = self.turn
        return (mine.lane, mine.user.id, mine.user.role, mine.chat.is_group, mine.branch, mine.model) == (
            turn.lane,
            turn.user.id,
            turn.user.role,
            turn.chat.is_group,
            turn.branch,
            turn.model,
        )


@dataclass(frozen=True, slots=True)
class ReadAhead:
    """An opening that was read before its turn."""

    opening: Opening
    ended: int
    """``Database.ended`` after the unit that has read it."""
