"""Sizes in words."""

__all__ = ["size_words"]


def size_words(size: int) -> str:
    """Return a size in words."""
    for unit, divisor in (("GB", 1024**3), ("MB", 1024**2), ("kB", 1024)):
        if size >= divisor:
            return f"{size / divisor:,.1f} {unit}"
    return f"{size} B"
