"""The lease of a replica as the replica itself sees it; without input or output."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["Lease"]

MARGIN: Final = 0.1
"""Part of the lease at whose end the replica trusts it no more: for clocks that run differently fast."""


@dataclass(slots=True)
class Lease:
    """How long the replica may trust that others have not taken over its work.

    The database's clock says when the lease has ended for the others. It begins to count when a sign of life arrives
    there, so what is counted here from before it was sent ends earlier.
    """

    seconds: float
    uptime: Callable[[], float]
    """Tells the time; it must go on while the machine sleeps."""
    until: float = float("-inf")
    """When it ends for the replica itself."""
    is_lost: bool = False
    """Whether others have taken over."""

    def extended(self, sent_at: float) -> None:
        """Note a sign of life that the database has taken.

        Args:
            sent_at: time before it was sent.
        """
        self.until = max(self.until, sent_at + self.seconds * (1 - MARGIN))

    def is_valid(self) -> bool:
        """Return whether no other process can have taken over by now."""
        return not self.is_lost and self.uptime() < self.until
