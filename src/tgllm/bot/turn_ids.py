"""The names of turns."""

__all__ = ["turn_id_of"]


def turn_id_of(update_id: int) -> str:
    """The turn that an update begins: the same whenever it is begun."""
    return f"u{update_id}"
