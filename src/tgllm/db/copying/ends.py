"""What a copy is made from and to: one interface for files and servers."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.unit import Connection

__all__ = ["NOT_COPIED", "End", "Values", "older_version", "running_bot"]

Values = tuple[Any, ...]
"""Values of a row."""

NOT_COPIED: Final = frozenset({
    # Of running processes only.
    "replicas", "leases", "turn_orders", "budget_reservations", "question_times",
    # Of the full-text indexes, which are made anew: all messages wait for theirs.
    "search_waiting", "search_removals", "message_index", "passage_index",
})  # fmt: skip
"""Tables that are empty after a copy, or are filled by it."""


class End(Protocol):
    """A database in a transaction."""

    @property
    def place(self) -> str:
        """The database as messages may show it."""
        ...

    @property
    def takes_nul(self) -> bool:
        """Whether texts may have the character NUL."""
        ...

    @property
    def connection(self) -> Connection:
        """The connection, for functions of the table modules."""
        ...

    def tables(self) -> list[str]:
        """Return the names of the tables."""
        ...

    def columns(self, table: str) -> list[str]:
        """Return the columns of a table that are stored and not computed."""
        ...

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Values]:
        """Yield the rows, without reading all of them at once."""
        ...

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Values]) -> None:
        """Add rows. References are checked at the commit only, so that the order of tables does not matter."""
        ...

    def finish(self) -> None:
        """Have further rows counted on from the highest ids."""
        ...


def running_bot(place: str, name: str) -> DatabaseError:
    """Return the error for a database that a bot uses."""
    return DatabaseError(
        f"A bot ({name}) runs on {place}. Stop it first: what it stores during the copy would be lost.",
        code="database_in_use",
        place=place,
    )


def older_version(place: str) -> DatabaseError:
    """Return the error for a database that is not of the version of this program."""
    return DatabaseError(
        f"{place} is of another version than this program. Start the bot once with it, or bring it up to date with: "
        "tgllm db init",
        code="database_version",
        place=place,
    )
