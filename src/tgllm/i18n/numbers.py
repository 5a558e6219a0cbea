"""Number formats that fit every language."""

__all__ = ["dollars", "grouped"]

_MICROS = 1_000_000


def grouped(number: int) -> str:
    """Format a number with narrow spaces between thousands, which no language uses as a decimal separator."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def dollars(micros: int) -> str:
    """Format millionths of a dollar as dollars with cents, or with more digits where needed."""
    whole, _, fraction = f"{micros / _MICROS:.6f}".partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2}"
