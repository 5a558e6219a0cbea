"""Translation of statements and their parameters to PostgreSQL.

Statements are written in the dialect that SQLite and PostgreSQL have in common; what still differs is rewritten here,
or is a function of the same name in ``functions.sql``. A statement is translated once and kept.

What a statement has to keep to, because it is not translated: ON CONFLICT instead of OR IGNORE and OR REPLACE; columns
of the changed row qualified in DO UPDATE (``usage.n + excluded.n``); CASE instead of iif; conditions that compare
(``asked = 1``, not ``asked``), and CASE where a condition is stored or counted; BIGINT in casts that must succeed;
NULLS FIRST in an ORDER BY of a column that can be NULL, where the order matters; no columns beside an aggregate that
are not in GROUP BY.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, cast

from tgllm.db.postgres.patterns import as_like
from tgllm.db.postgres.rewrites import rewrite
from tgllm.db.postgres.tokens import How, Token, join, scan

__all__ = ["Parameter", "Translated", "adapt", "to_postgres"]

_STATEMENTS: Final = 2048
"""Translations to keep; the program has some hundred statements."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A placeholder of a translated statement."""

    key: int | str
    """Place in a sequence, or name in a mapping."""
    how: How
    """How its value is converted."""


@dataclass(frozen=True, slots=True)
class Translated:
    """A statement for PostgreSQL, with ``%s`` for each parameter.

    A named parameter that occurs several times is a parameter for each, so that each can have the type of its place.
    """

    text: str
    parameters: tuple[Parameter, ...]


@lru_cache(_STATEMENTS)
def to_postgres(sql: str) -> Translated:
    """Translate a statement with parameters of the forms ``?``, ``?1`` or ``:name``."""
    tokens = rewrite(_numbered(scan(sql)))
    parameters = tuple(
        Parameter(int(token.text) if token.text.isdigit() else token.text[1:], token.how)
        for token in tokens
        if token.kind == "parameter"
    )
    return Translated(join(_escaped(token) for token in tokens), parameters)


def _numbered(tokens: Sequence[Token]) -> list[Token]:
    """Give each ``?`` its number, since rewriting may change the order."""
    result: list[Token] = []
    count = 0
    for token in tokens:
        if token.kind == "parameter" and token.text == "?":
            result.append(replace(token, text=str(count)))
            count += 1
        elif token.kind == "parameter" and token.text.startswith("?"):
            result.append(replace(token, text=str(int(token.text[1:]) - 1)))
        else:
            result.append(token)
    return result


def _escaped(token: Token) -> Token:
    if token.kind == "parameter":
        return replace(token, text="%s")
    return replace(token, text=token.text.replace("%", "%%"))


def adapt(translated: Translated, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[object]:
    """Return the parameters of a statement as psycopg takes them.

    Raises:
        LookupError: a parameter is missing.
    """
    values = cast("Mapping[int | str, Any]", parameters)
    return [_converted(values[parameter.key], parameter.how) for parameter in translated.parameters]


def _converted(value: object, how: How) -> object:
    if isinstance(value, bool):
        return int(value)
    if how == "limit" and isinstance(value, int) and value < 0:
        return None
    if not isinstance(value, str):
        return value
    if how == "list":
        return json.loads(value)
    # PostgreSQL can't store the character NUL.
    text = value.replace("\0", "\ufffd")
    return as_like(text) if how == "pattern" else text
