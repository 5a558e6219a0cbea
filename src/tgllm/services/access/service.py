"""Composition of the access services."""

from dataclasses import dataclass
from typing import Self

from tgllm.api.clock import Clock
from tgllm.config.sections.access import AccessSection
from tgllm.i18n import Catalogue
from tgllm.services.access.access_requests import AccessRequests
from tgllm.services.access.cards import AccessCards
from tgllm.services.access.groups import FULL_SECONDS, MOST_FULL, GroupAccess
from tgllm.services.access.invitations import Invitations
from tgllm.services.access.stranger_limits import StrangerLimits
from tgllm.services.common.recent_keys import RecentKeys
from tgllm.services.turns.running import RunningTurns

__all__ = ["Access"]


@dataclass(frozen=True, slots=True)
class Access:
    """The services for people and groups without access."""

    settings: AccessSection
    cards: AccessCards
    requests: AccessRequests
    groups: GroupAccess
    invitations: Invitations
    limits: StrangerLimits

    @classmethod
    def of(
        cls,
        settings: AccessSection,
        admin_chat_id: int | None,
        texts: Catalogue,
        clock: Clock,
        running: RunningTurns,
        secret: str = "",
    ) -> Self:
        """Create the services.

        Args:
            settings: section ``access`` of the config.
            admin_chat_id: the admin chat of the config.
            texts: catalogue of texts.
            clock: source of time.
            running: running turns of this process.
            secret: known to each of several replicas; empty for the only process.
        """
        cards = AccessCards(texts, admin_chat_id, settings.cards_per_hour)
        return cls(
            settings,
            cards,
            AccessRequests(clock, texts, cards, settings),
            GroupAccess(clock, texts, cards, settings, running, RecentKeys(clock, FULL_SECONDS, MOST_FULL)),
            Invitations(clock, texts, cards, secret),
            StrangerLimits(clock, settings.answer_interval, settings.answers_per_hour),
        )
