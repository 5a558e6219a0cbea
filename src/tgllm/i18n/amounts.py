"""Numbers with their nouns: "1 token", "12 350 tokens"."""

from collections.abc import Callable
from typing import Literal

from tgllm.i18n.numbers import grouped

__all__ = ["Unit", "amount"]

Unit = Literal[
    "characters", "conversations", "files", "messages", "pages", "parts", "requests", "sheets", "slides", "tokens"
]
"""A noun, by its key in the section ``unit`` of the catalogue."""


def amount(say: Callable[..., str], unit: Unit, count: int) -> str:
    """Return a number and its noun in the right plural form.

    Args:
        say: lookup of the catalogue in some language.
        unit: the noun.
        count: the number.
    """
    return say(f"unit.{unit}", count=count, number=grouped(count))
