"""Usage in words: a line for a sum, numbers that are easy to read, and bars."""

from typing import Final, Protocol

from tgllm.db.tables.usage import Total
from tgllm.i18n.numbers import dollars, grouped

__all__ = ["Say", "bar", "grouped", "usage_line"]

WIDTH: Final = 12
"""Characters of a bar."""


class Say(Protocol):
    """A text of the catalogue in somebody's language, such as ``Scope.text``."""

    def __call__(self, key: str, **params: object) -> str:
        """The text of that key."""
        ...


def usage_line(say: Say, title: str, total: Total) -> str:
    """A sum of usage after its title, as one line."""
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
    """A bar of text for the share that ``value`` has of ``whole``: empty for nothing, full for all and more."""
    share = value / whole if whole > 0 else 0.0
    filled = min(WIDTH, max(round(WIDTH * share), 1 if value > 0 else 0))
    return "█" * filled + "░" * (WIDTH - filled)
