"""Measures and periods of budgets."""

from typing import Literal, TypeAlias

__all__ = ["Measure", "Period"]

Measure: TypeAlias = Literal["requests", "tokens", "cost"]
"""Model calls; input and output tokens together; millionths of a US dollar."""

Period: TypeAlias = Literal["day", "month"]
"""Calendar day or month in the bot's time zone."""
