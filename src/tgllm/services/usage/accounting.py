"""How usage is booked: at which prices, and on which day."""

from dataclasses import dataclass, field

from tgllm.services.common.calendar import Days
from tgllm.services.models.pricing import Prices

__all__ = ["Accounting"]


@dataclass(frozen=True, slots=True)
class Accounting:
    """The same for all turns."""

    prices: Prices = field(default_factory=Prices)
    """The operator's; those of the providers are in the database."""
    days: Days = field(default_factory=Days)
    """Of the bot's time zone."""
