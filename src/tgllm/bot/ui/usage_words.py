"""Texts of usage: lines for totals, grouped numbers, and bars."""

from typing import Final, Protocol

from tgllm.db.tables.usage import Total
from tgllm.i18n.numbers import dollars, grouped

__all__ = ["Say", "bar", "grouped", "usage_line"]

WIDTH: Final = 12
"""Characters of a bar."""


class Say(Protocol):
    """Lookup of the catalogue in a user's language, such as ``UpdateScope.text``."""

    def __call__(self, key: str, **params: object) -> str:
        """Return the text of that key."""
        ...


def usage_line(say: Say, title: str, total: Total) -> str:
    """Return a line with a title and a total of usage."""
    if not total.requests:
        return say("usage.nothing", title=title)
    line = say(
        "usage.line",
        title=title,
        requests=say("usage.requests", count=total.requests),
        input=grouped(total.input_tokens),
        output=grouped(total.output_tokens),
        cost=dollars(total.cost_micros),
    )
    if not total.unpriced_requests:
        return line
    return f"{line}, {say('usage.unpriced', count=total.unpriced_requests)}"


def bar(value: float, whole: float) -> str:
    """Return a bar for the share of ``value`` in ``whole``, from empty to full; a small share still shows."""
    share = value / whole if whole > 0 else 0.0
    filled = min(WIDTH, max(round(WIDTH * share), 1 if value > 0 else 0))
    return "█" * filled + "░" * (WIDTH - filled)
