"""Rows as ``sqlite3.Row`` has them: columns by name or by number, values as SQLite returns them."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from psycopg.adapt import Loader
from psycopg.types.string import TextLoader

if TYPE_CHECKING:
    import psycopg

__all__ = ["adapt_values", "named_rows"]


@lru_cache(maxsize=1000)
def _row_of(names: tuple[str, ...]) -> type[tuple[Any, ...]]:
    """Return the class of rows with these columns; made once, since each statement has the same ones every time."""
    places = {name: place for place, name in reversed([*enumerate(names)])}

    class NamedRow(tuple[Any, ...]):
        """A row."""

        __slots__ = ()

        def __getitem__(self, key: Any, /) -> Any:  # noqa: ANN401  as ``sqlite3.Row``
            if key.__class__ is str:
                try:
                    return super().__getitem__(places[key])
                except KeyError:
                    raise IndexError(f"no column {key!r}") from None
            return super().__getitem__(key)

        def keys(self) -> Sequence[str]:
            """Return the names of the columns."""
            return list(names)

    return NamedRow


def named_rows(cursor: "psycopg.Cursor[Any]") -> Callable[[Sequence[Any]], Any]:
    """Row factory of psycopg for ``NamedRow``."""
    return _row_of(tuple(column.name for column in cursor.description or ()))


class _NumberLoader(Loader):
    """Loads NUMERIC, which is what the sum of integers is, as SQLite does: an integer, or else a float."""

    def load(self, data: Any) -> int | float:  # noqa: ANN401  bytes, or another buffer, as psycopg has it
        value = Decimal(bytes(data).decode())
        return int(value) if value == value.to_integral_value() else float(value)


class _BoolLoader(Loader):
    """Loads BOOLEAN as 1 or 0."""

    def load(self, data: Any) -> int:  # noqa: ANN401  as psycopg has it
        return int(bytes(data) == b"t")


def adapt_values(connection: "psycopg.Connection[Any]") -> None:
    """Have a connection return values as SQLite does."""
    connection.adapters.register_loader("numeric", _NumberLoader)
    connection.adapters.register_loader("bool", _BoolLoader)
    connection.adapters.register_loader("json", TextLoader)
