"""What turns need for tools."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tgllm.api import Ask
from tgllm.services.conversations.turn import Turn
from tgllm.services.tools.call_book import CallBook
from tgllm.services.tools.execution import ToolRunner
from tgllm.services.tools.offering import Offering
from tgllm.services.tools.settings import ToolLimits

if TYPE_CHECKING:
    from tgllm.db.tables.tools.calls import StoredCall
    from tgllm.services.tools.approvals import Approvals

__all__ = ["AskFor", "ToolServices", "no_one"]

AskFor = Callable[[Turn, "StoredCall", str], Ask | None]
"""Returns what asks the person in the middle of a call of a tool with that title; None: no one can be asked."""


def no_one(_turn: Turn, _call: "StoredCall", _title: str) -> Ask | None:
    """Return None: no one can be asked."""
    return None


@dataclass(frozen=True, slots=True)
class ToolServices:
    """Services of tools; the same for all turns."""

    offering: Offering
    book: CallBook
    runner: ToolRunner
    approvals: "Approvals | None" = None
    """None: no one can be asked."""
    limits: ToolLimits = field(default_factory=ToolLimits)
    ask_for: AskFor = no_one
