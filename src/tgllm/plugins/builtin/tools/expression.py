"""Expressions of a calculator: a parser that calculates as it reads. It evaluates no code."""

import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException
from fractions import Fraction
from typing import Final

from tgllm.plugins.builtin.tools.functions import CONSTANTS, FUNCTIONS, factorial
from tgllm.plugins.builtin.tools.numbers import (
    MOST_DIGITS,
    TOO_LONG,
    CannotCalculate,
    Number,
    add,
    bounded,
    divide,
    floor_divide,
    modulo,
    multiply,
    negative,
    power,
)

__all__ = ["MOST_CHARS", "calculate", "written"]

MOST_CHARS: Final = 1000
_MOST_DEPTH: Final = 50
_SHOWN_DIGITS: Final = 30
"""Digits of an approximation, and of the decimal form of a fraction."""
_SHOWN: Final = Context(prec=_SHOWN_DIGITS, Emin=-2 * MOST_DIGITS, Emax=2 * MOST_DIGITS, traps=[])
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4}(?!\d))?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9]*)|(?P<sign>\*\*|//|[-+*/%^(),!]))",
    re.ASCII,
)
_SAME_SIGNS: Final = str.maketrans(
    {"\u00d7": "*", "\u00b7": "*", "\u00f7": "/", ":": "/", "\u2212": "-", "\u2013": "-", "\u03c0": " pi "}
)
"""Other signs that people and models write."""
_SUMS: Final[Mapping[str, Callable[[Number, Number], Number]]] = {
    "+": add,
    "-": lambda left, right: add(left, negative(right)),
}
_PRODUCTS: Final[Mapping[str, Callable[[Number, Number], Number]]] = {
    "*": multiply,
    "of": multiply,
    "/": divide,
    "//": floor_divide,
    "%": modulo,
    "mod": modulo,
}


def calculate(expression: str) -> Number:
    """Return the value of an expression.

    Raises:
        CannotCalculate: it is not an expression, has no value, or one that is too large.
    """
    if len(expression) > MOST_CHARS:
        raise CannotCalculate(f"the expression has more than {MOST_CHARS} characters")
    try:
        return _Reader(_tokens(expression.translate(_SAME_SIGNS))).whole()
    except DecimalException as error:
        raise CannotCalculate("a number is too large or too small, or the result is not a real number") from error


def written(value: Number) -> str:
    """Return a value as text: exact, as a fraction with its decimal form, or as an approximation."""
    if isinstance(value, Decimal):
        return f"≈ {_decimal(value)}"
    if value.denominator == 1:
        return str(value.numerator)
    if exact := _finite(value):
        return exact
    fraction = f"{value.numerator}/{value.denominator}"
    near = f"≈ {_decimal(_SHOWN.divide(Decimal(value.numerator), Decimal(value.denominator)))}"
    return f"{fraction} {near}" if len(fraction) <= 2 * _SHOWN_DIGITS else near


def _finite(value: Fraction) -> str:
    """Return a decimal fraction with all of its digits; empty if it has no end, or too many digits."""
    rest, places = value.denominator, 0
    for prime in (2, 5):
        count = 0
        while rest % prime == 0:
            rest, count = rest // prime, count + 1
        places = max(places, count)
    if rest != 1 or places > _SHOWN_DIGITS:
        return ""
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _decimal(value: Decimal) -> str:
    near = _SHOWN.plus(value).normalize(_SHOWN)
    is_plain = not near or -_SHOWN_DIGITS <= near.adjusted() < _SHOWN_DIGITS
    return f"{near:f}" if is_plain else f"{near:e}"


def _tokens(expression: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    text = expression.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise CannotCalculate(f"{text[at:].strip()[:20]!r} is not understood; write for example 2*(3+4)/sqrt(2)")
        tokens.append(found[found.lastgroup or 0])
        at = found.end()
    return tokens


class _Reader:
    """Reads the tokens of an expression, the operators that bind least first."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Number:
        if not self._tokens:
            raise CannotCalculate("the expression is empty")
        value = self._sum()
        if left := self._next:
            hint = " (write * for a product)" if left[0].isalnum() or left == "(" else ""
            hint = " (commas only separate the arguments of functions)" if left == "," else hint
            raise CannotCalculate(f"{left!r} is not expected there{hint}")
        return value

    @property
    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next
        self._at += 1
        return token

    def _sum(self) -> Number:
        value = self._product()
        while run := _SUMS.get(self._next):
            self._take()
            value = run(value, self._product())
        return value

    def _product(self) -> Number:
        value = self._signed()
        while run := _PRODUCTS.get(self._next):
            self._take()
            value = run(value, self._signed())
        return value

    def _signed(self) -> Number:
        # Every way into a deeper level leads through here.
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise CannotCalculate("the expression is nested too deep")
        if self._next in {"-", "+"}:
            sign = self._take()
            value = self._signed()
            value = negative(value) if sign == "-" else value
        else:
            value = self._power()
        self._depth -= 1
        return value

    def _power(self) -> Number:
        base = self._postfixed()
        if self._next in {"**", "^"}:
            self._take()
            return power(base, self._signed())
        return base

    def _postfixed(self) -> Number:
        value = self._atom()
        while self._next == "!" or (self._next == "%" and self._is_percent()):
            value = factorial(value) if self._take() == "!" else divide(value, Fraction(100))
        return value

    def _is_percent(self) -> bool:
        """Return whether a percent sign is not the operator of a remainder: no operand follows."""
        after = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else ""
        return not (after[:1].isdigit() or after[:1] in {"(", "."} or (after.isalnum() and after not in _PRODUCTS))

    def _atom(self) -> Number:
        token = self._take()
        if token == "(":  # noqa: S105  a token of the expression
            value = self._sum()
            self._close()
            return value
        if token[:1].isdigit() or token[:1] == ".":
            return _number(token)
        if token[:1].isalpha():
            return self._named(token.lower())
        raise CannotCalculate(f"a number is missing before {token!r}" if token else "the expression ends too early")

    def _named(self, name: str) -> Number:
        if name in CONSTANTS:
            return CONSTANTS[name]
        function = FUNCTIONS.get(name)
        if function is None:
            known = ", ".join((*CONSTANTS, *FUNCTIONS))
            raise CannotCalculate(f"{name} is not known; known are {known}")
        if not self._takes("("):
            raise CannotCalculate(f"write {name} with brackets, such as {name}(2)")
        values = [self._sum()]
        while self._takes(","):
            values.append(self._sum())
        self._close()
        if not function.least <= len(values) <= function.most:
            count = str(function.least) if function.least == function.most else f"{function.least} to {function.most}"
            raise CannotCalculate(f"{name} takes another number of arguments: {count}, not {len(values)}")
        return function.run(*values)

    def _takes(self, token: str) -> bool:
        """Return whether a token comes next; it is taken then."""
        if self._next != token:
            return False
        self._at += 1
        return True

    def _close(self) -> None:
        if not self._takes(")"):
            raise CannotCalculate("a closing bracket is missing")


def _number(token: str) -> Number:
    digits = token.replace("_", "")
    exponent = int(digits.lower().partition("e")[2] or 0)
    if abs(exponent) > MOST_DIGITS:
        raise CannotCalculate(TOO_LONG)
    return bounded(Fraction(digits))
