"""Numbers as every language writes them."""

__all__ = ["dollars", "grouped"]

_MICROS = 1_000_000


def grouped(number: int) -> str:
    """A number with narrow spaces between thousands, which no language takes for a decimal sign."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def dollars(micros: int) -> str:
    """Millionths of a dollar as dollars, with cents, or finer where needed."""
    whole, _, fraction = f"{micros / _MICROS:.6f}".partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2}"
