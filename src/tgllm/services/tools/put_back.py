"""End of a turn that goes on after the next start."""

__all__ = ["PutBack"]


class PutBack(Exception):
    """The program ends while a turn waits for an approval: its update is queued again, and the attempt not counted."""
