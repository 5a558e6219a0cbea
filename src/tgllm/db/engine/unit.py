"""What a unit of work gets: a connection in a transaction, the same for each kind of database."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

__all__ = ["Connection", "Cursor", "Row", "Unit"]


class Row(Protocol):
    """A row of a result; its columns are read by name or by number."""

    def __getitem__(self, key: int | str, /) -> Any: ...  # noqa: ANN401  as ``sqlite3.Row``

    def __iter__(self) -> Iterator[Any]: ...

    def __len__(self) -> int: ...

    def keys(self) -> Sequence[str]:
        """Return the names of the columns."""
        ...


class Cursor(Protocol):
    """Result of a statement."""

    @property
    def rowcount(self) -> int:
        """Number of rows that the statement has changed."""
        ...

    def fetchone(self) -> Any:  # noqa: ANN401  a ``Row`` or None, as in ``sqlite3``
        """Return the next row; None after the last one."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the rows that are left, each a ``Row``."""
        ...

    def __iter__(self) -> Iterator[Any]: ...

    def close(self) -> None:
        """End the statement, of which not all rows were read."""
        ...


class Connection(Protocol):
    """Connection in a transaction; it is only passed on to functions of the table modules.

    Statements are written in the dialect that SQLite and PostgreSQL have in common, with ``?`` or ``:name`` for
    parameters; ``tgllm.db.postgres.dialect`` has what differs. Parameters are numbers, texts, bytes or None.
    """

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open in which statements may follow."""
        ...

    def execute(self, sql: str, parameters: Any = ..., /) -> Cursor:  # noqa: ANN401  a sequence or a mapping
        """Run a statement."""
        ...

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Cursor:
        """Run a statement with each of the parameters."""
        ...


Unit = Callable[[Connection], object]
"""Work to be done in the same transaction as other work."""
