"""Who is told that a budget is nearly or wholly used up, each once in a day or month."""

from collections.abc import Iterable, Sequence
from typing import Any

from tgllm.db import budgets, outbox
from tgllm.db.budgets import Told
from tgllm.db.outbox import NewOutbox
from tgllm.db.unit import Connection, Unit
from tgllm.i18n import Catalogue
from tgllm.i18n.budgets import budget_words
from tgllm.services.allowance import Allowance
from tgllm.services.days import Days
from tgllm.services.lane import Lane
from tgllm.services.notify import AdminNotifier
from tgllm.services.text import clip
from tgllm.services.turn import Turn

__all__ = ["QuotaNews", "level_of"]

NEAR = 80
"""Percent of a budget at which people are told."""


def level_of(allowance: Allowance) -> Told:
    """What there is to tell of a budget."""
    if allowance.used >= allowance.limit:
        return 100
    return NEAR if allowance.percent >= NEAR else 0


class QuotaNews:
    """Makes the pieces of work that tell it, for the transaction that stores the turn."""

    def __init__(self, texts: Catalogue, days: Days, notifier: AdminNotifier) -> None:
        """Tell people in their chat, and admins through ``notifier``."""
        self._texts = texts
        self._days = days
        self._notifier = notifier

    def units(self, turn: Turn, allowances: Iterable[Allowance], now: int) -> Sequence[Unit]:
        """What is to be done after a turn; nothing, where there is no news.

        Args:
            turn: that has ended.
            allowances: the budgets with what it has used.
            now: UTC, in milliseconds.
        """
        return [self._unit(turn, each, now) for each in allowances if level_of(each) > each.told]

    def _unit(self, turn: Turn, allowance: Allowance, now: int) -> Unit:
        def tell(conn: Connection) -> None:
            level = level_of(allowance)
            # Another turn may have been faster.
            if not budgets.tell(conn, *allowance.key, allowance.first_day, level):
                return
            budgets.prune(conn, self._days.month(now))
            if allowance.scope.kind == "bot":
                self._notifier.add(conn, self._words(f"budget.{_NAMES[level]}_admin", allowance, ""))
            elif turn.message_id is not None:
                text = self._words(f"budget.{_NAMES[level]}", allowance, turn.user.language)
                outbox.add(conn, [_message(Lane.parse(turn.lane), text)], now)

        return tell

    def _words(self, key: str, allowance: Allowance, language: str) -> str:
        words = budget_words(
            self._texts,
            language,
            whose=allowance.scope.kind,
            measure=allowance.measure,
            period=allowance.period,
            used=allowance.used,
            limit=allowance.limit,
            until=self._days.told(allowance.until),
        )
        return self._texts(key, language, **words, percent=allowance.percent)


_NAMES: dict[Told, str] = {80: "near", 100: "spent"}


def _message(lane: Lane, text: str) -> NewOutbox:
    payload: dict[str, Any] = {
        "chat_id": lane.chat_id,
        "text": clip(text),
        "link_preview_options": {"is_disabled": True},
    }
    if lane.topic_id is not None:
        payload["message_thread_id"] = lane.topic_id
    if lane.business_connection_id is not None:
        payload["business_connection_id"] = lane.business_connection_id
    return NewOutbox(
        lane=lane.key, method="sendMessage", chat_id=lane.chat_id, thread_id=lane.topic_id, payload=payload
    )
