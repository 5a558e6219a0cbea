"""What budgets limit, and for how long."""

from typing import Literal, TypeAlias

__all__ = ["Measure", "Period"]

Measure: TypeAlias = Literal["requests", "tokens", "cost"]
"""Calls of models; tokens, read and written together; millionths of a US dollar."""

Period: TypeAlias = Literal["day", "month"]
"""Of the calendar, in the bot's time zone."""
