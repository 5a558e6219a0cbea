"""Prices and calendar by which usage is counted."""

from dataclasses import dataclass, field

from tgllm.services.common.calendar import Days
from tgllm.services.models.pricing import Prices

__all__ = ["Accounting"]


@dataclass(frozen=True, slots=True)
class Accounting:
    """Prices and calendar, the same for all turns."""

    prices: Prices = field(default_factory=Prices)
    """Set by the operator; prices of the providers are in the database."""
    days: Days = field(default_factory=Days)
    """In the bot's time zone."""
