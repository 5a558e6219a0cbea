"""Texts of usage: lines for totals, grouped numbers, and bars."""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from tgllm.api import ModelRef
from tgllm.db.tables.usage import Total
from tgllm.i18n.amounts import amount
from tgllm.i18n.numbers import dollars, grouped
from tgllm.services.common.text import one_line

__all__ = ["Say", "bar", "grouped", "unpriced_note", "usage_line"]

WIDTH: Final = 12
"""Characters of a bar."""
MOST_UNPRICED: Final = 5
"""Most models without a price that are named; the others are counted."""
MOST_NAME: Final = 100
"""Most UTF-16 units of a model's name."""


class Say(Protocol):
    """Lookup of the catalogue in a user's language, such as ``UpdateScope.text``."""

    def __call__(self, key: str, **params: object) -> str:
        """Return the text of that key."""
        ...


def usage_line(say: Say, title: str, total: Total) -> str:
    """Return a line with a title and a total of usage.

    Its cost is left out if no part of it is known; ``unpriced_note`` says why, once for all lines.
    """
    if not total.requests:
        return say("usage.nothing", title=title)
    parts = {
        "title": title,
        "requests": amount(say, "requests", total.requests),
        "input": amount(say, "tokens", total.input_tokens),
        "output": grouped(total.output_tokens),
    }
    if not total.unpriced_requests:
        return say("usage.line", **parts, cost=dollars(total.cost_micros))
    if not total.cost_micros:
        return say("usage.line_without_cost", **parts)
    return say("usage.line_partly", **parts, cost=dollars(total.cost_micros))


def unpriced_note(say: Say, models: Iterable[tuple[ModelRef, Total]]) -> Sequence[str]:
    """Return a sentence on the models whose price is not known, as one line; nothing if there are none."""
    names = [one_line(str(model), MOST_NAME) for model, total in models if total.unpriced_requests]
    if not names:
        return ()
    shown = ", ".join(names[:MOST_UNPRICED])
    if len(names) > MOST_UNPRICED:
        shown = f"{shown} {say('usage.more', count=len(names) - MOST_UNPRICED)}"
    return (say("usage.unpriced", models=shown, count=len(names)),)


def bar(value: float, whole: float) -> str:
    """Return a bar for the share of ``value`` in ``whole``, from empty to full; a small share still shows."""
    share = value / whole if whole > 0 else 0.0
    filled = min(WIDTH, max(round(WIDTH * share), 1 if value > 0 else 0))
    return "█" * filled + "░" * (WIDTH - filled)
