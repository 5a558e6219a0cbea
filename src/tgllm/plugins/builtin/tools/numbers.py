"""Bounded arithmetic: exact fractions where possible, and decimal numbers of 40 digits elsewhere."""

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction
from typing import Final, TypeAlias

__all__ = [
    "CONTEXT",
    "MOST_DIGITS",
    "TOO_LONG",
    "CannotCalculate",
    "Number",
    "add",
    "bounded",
    "divide",
    "floor_divide",
    "inexact",
    "modulo",
    "multiply",
    "negative",
    "power",
    "square_root",
]

Number: TypeAlias = Fraction | Decimal
"""An exact value, or an approximation."""

MOST_DIGITS: Final = 1000
"""Most digits of a number: no operation takes long, however large the numbers of an expression are."""
TOO_LONG: Final = "a number has more than 1000 digits"
_MOST_BITS: Final = int(MOST_DIGITS * 3.33)
CONTEXT: Final = Context(
    prec=40,
    rounding=ROUND_HALF_EVEN,
    Emin=-MOST_DIGITS,
    Emax=MOST_DIGITS,
    traps=[Overflow, DivisionByZero, InvalidOperation],
)
"""Of approximations."""


class CannotCalculate(Exception):
    """The expression has no value here; the message says why and what may be done."""


def bounded(value: Number) -> Number:
    """Return the value if it is not too large.

    Raises:
        CannotCalculate: it has too many digits.
    """
    if isinstance(value, Fraction) and max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
        raise CannotCalculate(TOO_LONG)
    return value


def inexact(value: Number) -> Decimal:
    """Return the value as a decimal number of 40 digits."""
    if isinstance(value, Decimal):
        return value
    return CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))


def add(left: Number, right: Number) -> Number:
    """Return the sum."""
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return bounded(left + right)
    return CONTEXT.add(inexact(left), inexact(right))


def multiply(left: Number, right: Number) -> Number:
    """Return the product."""
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return bounded(left * right)
    return CONTEXT.multiply(inexact(left), inexact(right))


def divide(left: Number, right: Number) -> Number:
    """Return the quotient.

    Raises:
        CannotCalculate: the divisor is zero.
    """
    if not right:
        raise CannotCalculate("division by zero")
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return bounded(left / right)
    return CONTEXT.divide(inexact(left), inexact(right))


def floor_divide(left: Number, right: Number) -> Number:
    """Return the quotient, rounded down."""
    return Fraction(math.floor(divide(left, right)))


def modulo(left: Number, right: Number) -> Number:
    """Return the remainder, which has the sign of the divisor."""
    return add(left, negative(multiply(floor_divide(left, right), right)))


def negative(value: Number) -> Number:
    """Return the value with the other sign."""
    return -value if isinstance(value, Fraction) else CONTEXT.minus(value)


def power(base: Number, exponent: Number) -> Number:
    """Return a power, exact if the exponent is an integer.

    Raises:
        CannotCalculate: the result is too large, or not a real number.
    """
    if not base and exponent < 0:
        raise CannotCalculate("division by zero: a negative power of 0")
    if isinstance(base, Fraction) and isinstance(exponent, Fraction):
        if exponent.denominator == 1:
            return _integer_power(base, int(exponent))
        if exponent == Fraction(1, 2):
            return square_root(base)
    if base < 0 and not (isinstance(exponent, Fraction) and exponent.denominator == 1):
        raise CannotCalculate("a root of a negative number is not a real number")
    return CONTEXT.power(inexact(base), inexact(exponent))


def _integer_power(base: Fraction, exponent: int) -> Fraction:
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    # 0, 1 and -1 stay small with every exponent; of all others the bits are known before the power is made.
    if abs(base) not in {0, 1} and (bits - 1) * abs(exponent) > _MOST_BITS:
        raise CannotCalculate(TOO_LONG)
    if abs(base) == 1:
        return base if exponent % 2 else Fraction(1)
    if not base:
        return Fraction(0 if exponent else 1)
    result = base**exponent
    bounded(result)
    return result


def square_root(value: Number) -> Number:
    """Return the square root, exact if it is a fraction."""
    if value < 0:
        raise CannotCalculate("the square root of a negative number is not a real number")
    if isinstance(value, Fraction):
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if top * top == value.numerator and bottom * bottom == value.denominator:
            return Fraction(top, bottom)
    return CONTEXT.sqrt(inexact(value))
