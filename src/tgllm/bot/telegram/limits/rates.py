"""Rates of calls to Telegram, and the share of them that each of several replicas has.

Telegram counts the calls of a bot, wherever they come from. So each replica has a fixed part of every rate: the leader
half of it, because it sends all answers, and the others share the rest for their previews. A part that is not used is
not passed on: to do that, the replicas would have to ask each other before each call.
"""

from dataclasses import dataclass, replace
from typing import Final

from tgllm.config.model import SendingSection

__all__ = ["ALONE", "Rates", "Share", "rates_from"]

_OF_LEADER: Final = 0.5
"""Part of the leader, if there are others."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Rate limits. A rate of 0 means no limit."""

    overall: float = 28.0
    """Calls a second to all chats together."""
    private: float = 1.0
    """Calls a second to one private chat."""
    group_per_minute: int = 20
    """Calls a minute to one group."""
    burst: int = 3
    """Calls to one chat that may be made at once after a pause."""
    uploads: float = 1.5
    """Uploads of large files a second, to all chats together."""


@dataclass(frozen=True, slots=True)
class Share:
    """The part of the rates that is for one of several replicas."""

    live: int = 1
    """Number of the replicas."""
    leads: bool = True
    """Whether this one sends the answers."""

    def of(self, rates: Rates) -> Rates:
        """Return the rates of this replica. Those of all together are at most ``rates``.

        Each may make at least one call at once and a minute to each group, so that they are too many above as many
        replicas as ``burst`` and ``group_per_minute`` allow.
        """
        others = self.live - 1
        if others <= 0:
            return rates
        of_each = (1 - _OF_LEADER) / others
        in_group = max(1, int(rates.group_per_minute * of_each))
        if self.leads:
            # Nothing is lost by rounding: the leader has what the others leave over.
            part, in_group, burst = _OF_LEADER, rates.group_per_minute - others * in_group, rates.burst - others
        else:
            part, burst = of_each, 1
        return replace(
            rates,
            overall=rates.overall * part,
            private=rates.private * part,
            group_per_minute=max(1, in_group) if rates.group_per_minute else 0,
            burst=max(1, burst),
            # Only the leader uploads.
            uploads=rates.uploads,
        )


ALONE: Final = Share()
"""That of the only process."""


def rates_from(section: SendingSection) -> Rates:
    """Return the rates of the ``[sending]`` section of the config."""
    if not section.paced:
        return Rates(overall=0, private=0, group_per_minute=0, uploads=0)
    return Rates(section.global_rate, section.chat_rate, section.group_per_minute, section.chat_burst)
