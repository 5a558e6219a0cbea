"""Tokens of a SQL statement: enough of a scanner to translate statements of this program."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

__all__ = ["How", "Token", "closing", "is_call", "join", "make", "scan", "spaced", "split"]

Kind = Literal["comment", "text", "name", "parameter", "number", "word", "symbol"]

How = Literal["plain", "list", "pattern", "limit"]
"""How the value of a parameter is converted: ``list``: the text of a JSON array to a list; ``pattern``: a pattern of
GLOB to one of LIKE; ``limit``: a negative number, which is no limit in SQLite, to None."""

_TOKEN: Final = re.compile(
    r"""(?P<space>\s*)(?:
        (?P<comment>--[^\n]*|/\*.*?\*/)
      | (?P<text>'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*")
      | (?P<parameter>\?\d*|(?<!:):[A-Za-z_]\w*)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<symbol>->>|->|\|\||::|<=|>=|<>|!=|==|.)
    )""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and whether there is space before it."""

    kind: Kind
    text: str
    space: bool = True
    how: How = "plain"

    def is_word(self, *words: str) -> bool:
        """Return whether it is one of these keywords, which are given in capitals."""
        return self.kind == "word" and self.text.upper() in words


def scan(sql: str) -> list[Token]:
    """Return the tokens of a statement, without comments."""
    tokens: list[Token] = []
    space = False
    for found in _TOKEN.finditer(sql.strip()):
        space = space or bool(found["space"])
        kind = found.lastgroup
        if kind == "comment":
            space = True
            continue
        tokens.append(Token(kind, found[kind], space))  # type: ignore[arg-type]  # the groups are named after the kinds
        space = False
    return tokens


def make(sql: str) -> list[Token]:
    """Return the tokens of a piece of SQL, with space before it."""
    return [replace(token, space=True) if number == 0 else token for number, token in enumerate(scan(sql))]


def spaced(tokens: Sequence[Token]) -> list[Token]:
    """Return tokens with space before the first one."""
    return [replace(token, space=True) if number == 0 else token for number, token in enumerate(tokens)]


def join(tokens: Iterable[Token]) -> str:
    """Return tokens as text."""
    return "".join((" " if token.space else "") + token.text for token in tokens).strip()


def closing(tokens: Sequence[Token], start: int) -> int:
    """Return the number of the parenthesis that closes the one at ``start``."""
    depth = 0
    for number in range(start, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[number].text, 0)
        if depth == 0:
            return number
    raise ValueError(f"a parenthesis is not closed: {join(tokens)}")


def is_call(tokens: Sequence[Token], at: int, *names: str) -> bool:
    """Return whether a call of one of these functions begins at ``at``."""
    return (
        tokens[at].kind == "word"
        and tokens[at].text.lower() in names
        and at + 1 < len(tokens)
        and tokens[at + 1].text == "("
    )


def split(tokens: Sequence[Token], separator: str) -> list[list[Token]]:
    """Split tokens at a keyword or symbol outside of parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.kind in {"word", "symbol"} and token.text.upper() == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
