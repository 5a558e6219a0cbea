"""Ids of the turns that updates start."""

from typing import Final

__all__ = ["turn_id_of", "update_id_of"]

_OF_UPDATE: Final = "u"
"""Beginning of the id of a turn that an update starts; rows that the bot sends by itself have turns of other kinds."""


def turn_id_of(update_id: int) -> str:
    """Return the id of the turn that an update starts: the same for each attempt."""
    return f"{_OF_UPDATE}{update_id}"


def update_id_of(turn_id: str | None) -> int | None:
    """Return the id of the update that has started a turn; None if no update has."""
    number = (turn_id or "").removeprefix(_OF_UPDATE)
    return int(number) if number != turn_id and number.removeprefix("-").isdecimal() else None
