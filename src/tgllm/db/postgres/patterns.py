"""Patterns of GLOB as patterns of LIKE or as regular expressions: PostgreSQL has no GLOB."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tgllm.db.postgres.tokens import Token, make

__all__ = ["as_like", "globs"]

_LIKE: Final = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_", "*": "%", "?": "_"})
_PIECE: Final = re.compile(r"\[[^\]]+\]|.", re.DOTALL)
_AFTER: Final = ("AND", "OR", "THEN", "ELSE", "END", "ORDER", "GROUP", "LIMIT", "RETURNING", "ON", "UNION")


def as_like(pattern: str) -> str:
    """Return the pattern of LIKE for a pattern of GLOB without classes of characters."""
    return pattern.translate(_LIKE)


def _as_regex(pattern: str) -> str:
    """Return the regular expression for a pattern of GLOB."""
    special = {"*": ".*", "?": "."}
    found = (match[0] for match in _PIECE.finditer(pattern))
    pieces = (piece if len(piece) > 1 else special.get(piece, re.escape(piece)) for piece in found)
    return f"^{''.join(pieces)}$".removesuffix(".*$")


def globs(tokens: Sequence[Token]) -> list[Token]:
    """Return a statement in which ``x GLOB pattern`` is a LIKE, or a match of a regular expression.

    A pattern may be put together with ``||``. Texts and parameters in it are converted; the values of columns are taken
    as they are, so they must not contain ``%``, ``_`` or backslashes.
    """
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        if not tokens[at].is_word("GLOB"):
            result.append(tokens[at])
            at += 1
            continue
        end = _end(tokens, at + 1)
        result += _match(tokens[at + 1 : end], result)
        at = end
    return result


def _end(tokens: Sequence[Token], start: int) -> int:
    depth = 0
    for number in range(start, len(tokens)):
        token = tokens[number]
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth < 0 or (depth == 0 and (token.is_word(*_AFTER) or token.text == ",")):
            return number
    return len(tokens)


def _match(pattern: Sequence[Token], before: list[Token]) -> list[Token]:
    if len(pattern) == 1 and pattern[0].kind == "text" and "[" in pattern[0].text:
        negated = bool(before) and before[-1].is_word("NOT")
        if negated:
            before.pop()
        return [*make("!~" if negated else "~"), replace(pattern[0], text=f"'{_as_regex(pattern[0].text[1:-1])}'")]
    converted: list[Token] = []
    depth = 0
    for token in pattern:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.kind == "text":
            converted.append(replace(token, text=as_like(token.text)))
        elif depth == 0 and token.kind == "parameter":
            converted.append(replace(token, how="pattern"))
        else:
            converted.append(token)
    return [*make("LIKE"), *converted]
