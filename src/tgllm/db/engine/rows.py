"""Between rows and values: columns of JSON and of yes and no, and text that SQLite can store."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar, cast

__all__ = ["BOOL", "JSON", "JSON_LIST", "clean", "dumps", "new_id", "read", "read_all", "read_one"]

T = TypeVar("T")

_CONVERT = "convert"


def _load(text: str | None) -> object:
    return None if text is None else json.loads(text)


def _load_tuple(text: str | None) -> tuple[object, ...]:
    return () if text is None or text == "[]" else tuple(json.loads(text))


JSON = {_CONVERT: _load}
"""Metadata of a field whose column holds JSON."""
JSON_LIST = {_CONVERT: _load_tuple}
"""Metadata of a field that is a tuple and whose column holds a JSON array or NULL."""
BOOL = {_CONVERT: bool}
"""Metadata of a field whose column holds 0 or 1."""


@cache
def _plan(cls: type[Any]) -> tuple[tuple[str, Callable[[Any], object] | None], ...]:
    return tuple((field.name, field.metadata.get(_CONVERT)) for field in fields(cls))


def read(cls: type[T], row: sqlite3.Row) -> T:
    """Make the dataclass ``cls`` of a row that has a column for each of its fields, by name."""
    make = cast("Callable[..., T]", cls)
    return make(*[row[name] if convert is None else convert(row[name]) for name, convert in _plan(cls)])


def read_one(cls: type[T], cursor: sqlite3.Cursor) -> T | None:
    """The first row of a result as ``cls``; None where there is none."""
    row = cursor.fetchone()
    return None if row is None else read(cls, row)


def read_all(cls: type[T], cursor: sqlite3.Cursor) -> list[T]:
    """All rows of a result as ``cls``."""
    return [read(cls, row) for row in cursor.fetchall()]


def new_id(cursor: sqlite3.Cursor) -> int:
    """The id of the row that was just inserted; costs less than RETURNING."""
    assert cursor.lastrowid is not None  # noqa: S101  None before any INSERT only (Python: sqlite3)
    return cursor.lastrowid


def dumps(value: object) -> str:
    """``value`` as JSON text. In ASCII, so that half of a surrogate pair in a string can't break the row."""
    return json.dumps(value, separators=(",", ":"))


def clean(text: str) -> str:
    """``text`` as it can be stored: split surrogate pairs are joined, single halves become U+FFFD.

    Python's JSON reader lets both through, and UTF-8 has no form for them.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
