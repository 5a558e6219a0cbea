"""Errors that have occurred and are not stored yet, one entry for each kind."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tgllm.db.tables.errors import ErrorPlace, NewError

__all__ = ["Pending"]

_MOST_KINDS: Final = 2_000
"""Kinds that wait to be stored; further ones are in the log only."""
_MOST_PLACES: Final = 1_000
"""Places that are kept of one kind until it is stored."""


class Pending:
    """Collects errors by kind, so that a flood of them costs one row for each kind."""

    def __init__(self) -> None:
        """Create an empty collection."""
        self._errors: dict[str, NewError] = {}

    def __bool__(self) -> bool:
        return bool(self._errors)

    def add(self, new: NewError) -> None:
        """Add an error to those of its kind."""
        known = self._errors.get(new.id)
        if known is not None:
            self._errors[new.id] = _joined(known, new)
        elif len(self._errors) < _MOST_KINDS:
            self._errors[new.id] = new

    def take(self) -> Sequence[NewError]:
        """Remove all errors and return them."""
        taken = tuple(self._errors.values())
        self._errors.clear()
        return taken

    def give_back(self, errors: Sequence[NewError]) -> None:
        """Add errors that could not be stored, ahead of those that have occurred since."""
        newer = self.take()
        for each in (*errors, *newer):
            self.add(each)


def _joined(known: NewError, new: NewError) -> NewError:
    return replace(
        new,
        times=known.times + new.times,
        first_at=min(known.first_at, new.first_at),
        last_at=max(known.last_at, new.last_at),
        places=_latest(known.places, new.places),
    )


def _latest(known: Sequence[ErrorPlace], new: Sequence[ErrorPlace]) -> Sequence[ErrorPlace]:
    return (*known, *new)[-_MOST_PLACES:] if new else known
