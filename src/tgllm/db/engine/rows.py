"""Conversion between rows and dataclasses: JSON and boolean columns, and text that SQLite can store."""

import json
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar, cast

from tgllm.db.engine.unit import Cursor, Row

__all__ = [
    "BOOL",
    "BOOL_OR_NONE",
    "JSON",
    "JSON_LIST",
    "clean",
    "clean_error",
    "dumps",
    "new_id",
    "read",
    "read_all",
    "read_one",
]

T = TypeVar("T")

_CONVERT = "convert"


def _load(text: str | None) -> object:
    return None if text is None else json.loads(text)


def _load_bool(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _load_tuple(text: str | None) -> tuple[object, ...]:
    return () if text is None or text == "[]" else tuple(json.loads(text))


JSON = {_CONVERT: _load}
"""Metadata of a field whose column holds JSON."""
JSON_LIST = {_CONVERT: _load_tuple}
"""Metadata of a field that is a tuple and whose column holds a JSON array or NULL."""
BOOL = {_CONVERT: bool}
"""Metadata of a field whose column holds 0 or 1."""
BOOL_OR_NONE = {_CONVERT: _load_bool}
"""Metadata of a field whose column holds 0, 1 or NULL."""


@cache
def _plan(cls: type[Any]) -> tuple[tuple[str, Callable[[Any], object] | None], ...]:
    return tuple((field.name, field.metadata.get(_CONVERT)) for field in fields(cls))


def read(cls: type[T], row: Row) -> T:
    """Return a row as the dataclass ``cls``; the row has a column named after each field."""
    make = cast("Callable[..., T]", cls)
    return make(*[row[name] if convert is None else convert(row[name]) for name, convert in _plan(cls)])


def read_one(cls: type[T], cursor: Cursor) -> T | None:
    """Return the first row of a result as ``cls``; None if there is none."""
    row = cursor.fetchone()
    return None if row is None else read(cls, row)


def read_all(cls: type[T], cursor: Cursor) -> list[T]:
    """Return all rows of a result as ``cls``."""
    return [read(cls, row) for row in cursor.fetchall()]


def new_id(cursor: Cursor) -> int:
    """Return the id of the row that was just inserted by a statement with ``RETURNING id``."""
    return int(cursor.fetchone()[0])


def dumps(value: object) -> str:
    """Return ``value`` as JSON text, in ASCII: a lone surrogate in a string could not be stored otherwise."""
    return json.dumps(value, separators=(",", ":"))


def clean(text: str) -> str:
    """Return ``text`` with surrogate pairs joined and lone surrogates replaced by U+FFFD.

    Python's JSON reader accepts both, and UTF-8 can encode neither.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean_error(text: str | None) -> str | None:
    """Return the text of an error as it may be stored: without secrets, and otherwise as ``clean`` returns it."""
    if text is None:
        return None
    from tgllm.observe.redaction import redact  # noqa: PLC0415  commands that only read store no errors

    return redact(clean(text))
