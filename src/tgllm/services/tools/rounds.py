"""Rounds of a turn: an answer of a model that consists of calls, with their results."""

from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.api import ModelRef
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.db.tables.tools import rounds as tool_rounds
from tgllm.db.tables.tools.calls import StoredCall
from tgllm.db.tables.tools.rounds import StoredRound

__all__ = ["Round", "read_rounds"]


@dataclass(frozen=True, slots=True)
class Round:
    """One round, as it is stored."""

    answer: StoredRound
    calls: tuple[StoredCall, ...]
    """All calls of the answer, in its order."""

    @property
    def model(self) -> ModelRef:
        """The model that made the calls."""
        return ModelRef(self.answer.provider, self.answer.model)

    @property
    def is_whole(self) -> bool:
        """Whether each call has its result."""
        return all(call.result is not None for call in self.calls)


def read_rounds(conn: Connection, turn_id: str) -> Sequence[Round]:
    """Return the stored rounds of a turn, in order."""
    answers = tool_rounds.of_turn(conn, turn_id)
    if not answers:
        return ()
    calls = tool_calls.of_turn(conn, turn_id)
    return [Round(each, tuple(call for call in calls if call.round == each.round)) for each in answers]
