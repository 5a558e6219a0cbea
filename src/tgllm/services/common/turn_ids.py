"""Ids of the turns that updates start."""

__all__ = ["turn_id_of"]


def turn_id_of(update_id: int) -> str:
    """Return the id of the turn that an update starts: the same for each attempt."""
    return f"u{update_id}"
