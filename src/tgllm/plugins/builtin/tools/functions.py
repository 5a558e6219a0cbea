"""Functions and constants of expressions."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from tgllm.plugins.builtin.tools.numbers import (
    CONTEXT,
    MOST_DIGITS,
    TOO_LONG,
    CannotCalculate,
    Number,
    add,
    bounded,
    divide,
    inexact,
    modulo,
    negative,
    square_root,
)

__all__ = ["CONSTANTS", "FUNCTIONS", "Function", "factorial"]

_MOST_FACTORIAL: Final = 450
_MOST_CHOICES: Final = 3000


@dataclass(frozen=True, slots=True)
class Function:
    """A function of expressions."""

    run: Callable[..., Number]
    least: int = 1
    most: int = 1
    """Least and most number of arguments."""


def factorial(value: Number) -> Number:
    """Return a factorial."""
    number = _natural(value, "a factorial")
    if number > _MOST_FACTORIAL:
        raise CannotCalculate(f"{TOO_LONG}: the factorial of {number}")
    return Fraction(math.factorial(number))


def _natural(value: Number, what: str) -> int:
    number = _integer(value, what)
    if number < 0:
        raise CannotCalculate(f"{what} needs a number that is not negative")
    return number


def _integer(value: Number, what: str) -> int:
    if value != int(value):
        raise CannotCalculate(f"{what} needs a whole number")
    return int(value)


def _choices(count: Callable[[int, int], int], what: str) -> Callable[..., Number]:
    def run(of: Number, chosen: Number) -> Number:
        number = _natural(of, what)
        if number > _MOST_CHOICES:
            raise CannotCalculate(f"{what} takes numbers up to {_MOST_CHOICES}")
        return bounded(Fraction(count(number, _natural(chosen, what))))

    return run


def _of_integers(count: Callable[..., int], what: str) -> Callable[..., Number]:
    def run(*values: Number) -> Number:
        return bounded(Fraction(count(*(_integer(value, what) for value in values))))

    return run


def _logarithm(value: Number, base: Number | None = None) -> Number:
    if value <= 0:
        raise CannotCalculate("a logarithm needs a number above 0")
    if base is None or base == 10:
        return CONTEXT.log10(inexact(value))
    if base <= 0 or base == 1:
        raise CannotCalculate("the base of a logarithm is above 0 and not 1")
    return CONTEXT.divide(CONTEXT.ln(inexact(value)), CONTEXT.ln(inexact(base)))


def _natural_logarithm(value: Number) -> Number:
    if value <= 0:
        raise CannotCalculate("a logarithm needs a number above 0")
    return CONTEXT.ln(inexact(value))


def _of_floats(run: Callable[[float], float]) -> Callable[[Number], Number]:
    def calculate(value: Number) -> Number:
        try:
            result = run(float(value))
            if not math.isfinite(result):
                raise OverflowError
            # The 15 digits that a float is good for.
            return Decimal(f"{result:.15g}")
        except (ValueError, OverflowError) as error:
            raise CannotCalculate("the number is too large, or the result is not a real number") from error

    return calculate


def _rounded(value: Number, places: Number = Fraction(0)) -> Number:
    count = _integer(places, "round")
    if abs(count) > MOST_DIGITS:
        raise CannotCalculate("round takes up to 1000 places")
    exact, unit = Fraction(value), Fraction(10) ** count
    # As at school, also 0.5 and 2.5: what people expect of a calculator.
    whole = math.floor(abs(exact) * unit + Fraction(1, 2))
    return bounded(Fraction(whole if exact >= 0 else -whole) / unit)


def _total(*values: Number) -> Number:
    total: Number = Fraction(0)
    for value in values:
        total = add(total, value)
    return total


def _exact(value: Number) -> Fraction:
    return Fraction(value)


def _median(*values: Number) -> Number:
    ranked: Sequence[Number] = sorted(values, key=_exact)
    middle = len(ranked) // 2
    if len(ranked) % 2:
        return ranked[middle]
    return divide(add(ranked[middle - 1], ranked[middle]), Fraction(2))


def _absolute(value: Number) -> Number:
    return negative(value) if value < 0 else value


def _exponential(value: Number) -> Number:
    return CONTEXT.exp(inexact(value))


def _binary_logarithm(value: Number) -> Number:
    return _logarithm(value, Fraction(2))


def _floor(value: Number) -> Number:
    return Fraction(math.floor(value))


def _ceiling(value: Number) -> Number:
    return Fraction(math.ceil(value))


def _least(*values: Number) -> Number:
    return min(values, key=_exact)


def _greatest(*values: Number) -> Number:
    return max(values, key=_exact)


def _mean(*values: Number) -> Number:
    return divide(_total(*values), Fraction(len(values)))


_MANY: Final = 200

CONSTANTS: Final[dict[str, Number]] = {
    "pi": Decimal("3.141592653589793238462643383279502884197"),
    "tau": Decimal("6.283185307179586476925286766559005768394"),
    "e": Decimal("2.718281828459045235360287471352662497757"),
}

FUNCTIONS: Final[dict[str, Function]] = {
    "abs": Function(_absolute),
    "sqrt": Function(square_root),
    "exp": Function(_exponential),
    "ln": Function(_natural_logarithm),
    "log": Function(_logarithm, 1, 2),
    "log2": Function(_binary_logarithm),
    "floor": Function(_floor),
    "ceil": Function(_ceiling),
    "round": Function(_rounded, 1, 2),
    "min": Function(_least, 1, _MANY),
    "max": Function(_greatest, 1, _MANY),
    "sum": Function(_total, 1, _MANY),
    "mean": Function(_mean, 1, _MANY),
    "median": Function(_median, 1, _MANY),
    "mod": Function(modulo, 2, 2),
    "gcd": Function(_of_integers(math.gcd, "gcd"), 2, _MANY),
    "lcm": Function(_of_integers(math.lcm, "lcm"), 2, _MANY),
    "factorial": Function(factorial),
    "comb": Function(_choices(math.comb, "comb"), 2, 2),
    "perm": Function(_choices(math.perm, "perm"), 2, 2),
    "sin": Function(_of_floats(math.sin)),
    "cos": Function(_of_floats(math.cos)),
    "tan": Function(_of_floats(math.tan)),
    "asin": Function(_of_floats(math.asin)),
    "acos": Function(_of_floats(math.acos)),
    "atan": Function(_of_floats(math.atan)),
    "degrees": Function(_of_floats(math.degrees)),
    "radians": Function(_of_floats(math.radians)),
}
"""Functions by name. Angles are in radians."""
