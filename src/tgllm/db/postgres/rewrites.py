"""What SQLite and PostgreSQL write in different ways, apart from patterns: one function for each difference."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from tgllm.db.postgres.patterns import globs
from tgllm.db.postgres.tokens import Token, closing, is_call, join, make, spaced, split

__all__ = ["rewrite"]

_LIST: Final = ("SELECT", "VALUE", "FROM", "JSON_EACH")
_RENAMED: Final = {
    "json_object": "json_build_object",
    "json_array": "json_build_array",
    "json_group_array": "json_agg",
}
_AGGREGATES: Final = {"max": "greatest", "min": "least"}


def _hints(tokens: Sequence[Token]) -> list[Token]:
    """Drop ``INDEXED BY name``: PostgreSQL's planner takes no hints."""
    result: list[Token] = []
    skipped = 0
    for number, token in enumerate(tokens):
        if token.is_word("INDEXED") and tokens[number + 1].is_word("BY"):
            skipped = 3
        if skipped:
            skipped -= 1
        else:
            result.append(token)
    return result


def _lists(tokens: Sequence[Token]) -> list[Token]:
    """Write ``x IN (SELECT value FROM json_each(?))`` as ``x = ANY(?)``, and NOT IN as ``<> ALL``."""
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        parameter = _list_at(tokens, at)
        if parameter is None:
            result.append(tokens[at])
            at += 1
            continue
        negated = bool(result) and result[-1].is_word("NOT")
        if negated:
            result.pop()
        array = replace(parameter, how="list", space=False)
        result += [*make("<> ALL(" if negated else "= ANY("), array, Token("symbol", ")", space=False)]
        at += 10
    return result


def _list_at(tokens: Sequence[Token], at: int) -> Token | None:
    """Return the parameter of ``IN (SELECT value FROM json_each(parameter))`` at this place; None for anything else."""
    texts = [token.text.upper() for token in tokens[at : at + 10]]
    if len(texts) < 10 or texts[:2] != ["IN", "("] or tuple(texts[2:6]) != _LIST:
        return None
    parameter = tokens[at + 7]
    return parameter if parameter.kind == "parameter" and texts[6] == "(" and texts[8:] == [")", ")"] else None


def _distinct(tokens: Sequence[Token]) -> list[Token]:
    """Write ``x IS [NOT] y`` as ``IS [NOT] DISTINCT FROM``, unless y is NULL."""
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if not token.is_word("IS"):
            result.append(token)
            at += 1
            continue
        negated = tokens[at + 1].is_word("NOT")
        after = at + 2 if negated else at + 1
        if tokens[after].is_word("NULL", "DISTINCT"):
            result += _null_test(tokens[at : after + 1], result)
            at = after + 1
        else:
            result += make("IS DISTINCT FROM" if negated else "IS NOT DISTINCT FROM")
            at = after
    return result


def _null_test(test: Sequence[Token], before: Sequence[Token]) -> list[Token]:
    """Give a parameter that is compared with NULL a type, which PostgreSQL can't find out."""
    if before and before[-1].kind == "parameter":
        return [Token("symbol", "::text", space=False), *test]
    return [*test]


def _calls(tokens: Sequence[Token]) -> list[Token]:
    """Rename functions, and write max and min of several values as greatest and least."""
    result: list[Token] = []
    for number, token in enumerate(tokens):
        name = token.text.lower()
        if is_call(tokens, number, *_RENAMED):
            result.append(replace(token, text=_RENAMED[name]))
        elif is_call(tokens, number, *_AGGREGATES):
            inner = tokens[number + 2 : closing(tokens, number + 1)]
            result.append(replace(token, text=_AGGREGATES[name]) if len(split(inner, ",")) > 1 else token)
        else:
            result.append(token)
    return result


def _casts(tokens: Sequence[Token]) -> list[Token]:
    """Write casts to INTEGER and BLOB as calls.

    SQLite reads the digits at the start of a text as an integer, and 0 if there are none, where PostgreSQL reports an
    error; and its BLOB of a text is the text in UTF-8.
    """
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        if not is_call(tokens, at, "cast"):
            result.append(tokens[at])
            at += 1
            continue
        end = closing(tokens, at + 1)
        inner, kind = split(_casts(tokens[at + 2 : end]), "AS")
        match join(kind).upper():
            case "INTEGER":
                result += [*make("to_integer("), *inner, Token("symbol", ")", space=False)]
            case "BLOB":
                result += [*make("convert_to("), *inner, Token("symbol", ",", space=False), *make("'UTF8')")]
            case _:
                result += [*tokens[at : at + 2], *inner, *make("AS"), *spaced(kind), tokens[end]]
        at = end + 1
    return result


def _joins(tokens: Sequence[Token]) -> list[Token]:
    """Write CROSS JOIN with a condition, which keeps SQLite from changing the order of tables, as a plain JOIN."""
    result: list[Token] = []
    for number, token in enumerate(tokens):
        if token.is_word("CROSS") and _has_condition(tokens, number + 2):
            continue
        result.append(token)
    return result


def _has_condition(tokens: Sequence[Token], start: int) -> bool:
    depth = 0
    for token in tokens[start:]:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.is_word("ON"):
            return True
        if depth < 0 or (depth == 0 and token.is_word("JOIN", "WHERE", "GROUP", "ORDER", "LIMIT", "UNION", "CROSS")):
            return False
    return False


def _limits(tokens: Sequence[Token]) -> list[Token]:
    """Write ``LIMIT -1``, which is none in SQLite, as ``LIMIT ALL``, and mark parameters that can be negative."""
    result: list[Token] = []
    for number, token in enumerate(tokens):
        follows = number > 0 and tokens[number - 1].is_word("LIMIT")
        if follows and token.kind == "parameter":
            result.append(replace(token, how="limit"))
        elif follows and token.text == "-":
            result += make("ALL")
        elif number > 1 and tokens[number - 1].text == "-" and tokens[number - 2].is_word("LIMIT"):
            continue
        else:
            result.append(token)
    return result


def _row_ids(tokens: Sequence[Token]) -> list[Token]:
    """Write rowid, of a table without an id, as ctid, which is the same within a statement."""
    return [replace(token, text="ctid") if token.is_word("ROWID") else token for token in tokens]


def _aliases(tokens: Sequence[Token]) -> list[Token]:
    """Name each subquery after FROM and JOIN: PostgreSQL up to 15 asks for a name."""
    result: list[Token] = []
    ends: set[int] = set()
    for number, token in enumerate(tokens):
        result.append(token)
        opens = token.text == "(" and number > 0 and tokens[number - 1].is_word("FROM", "JOIN")
        if opens and tokens[number + 1].is_word("SELECT", "WITH", "VALUES"):
            ends.add(closing(tokens, number))
        if number in ends and not _is_named(tokens, number + 1):
            result += make(f"AS subquery_{number}")
    return result


def _is_named(tokens: Sequence[Token], after: int) -> bool:
    return after < len(tokens) and tokens[after].is_word("AS")


_REWRITES: Final[tuple[Callable[[Sequence[Token]], list[Token]], ...]] = (
    _hints,
    _lists,
    globs,
    _distinct,
    _casts,
    _calls,
    _joins,
    _limits,
    _row_ids,
    _aliases,
)


def rewrite(tokens: Sequence[Token]) -> Sequence[Token]:
    """Return a statement as PostgreSQL reads it."""
    for change in _REWRITES:
        tokens = change(tokens)
    return tokens
