"""Who is told that a budget is nearly or wholly used up, each once in a day or month."""

from collections.abc import Iterable
from typing import Any

from tgllm.db import budgets, outbox
from tgllm.db.outbox import NewOutbox
from tgllm.db.unit import Connection
from tgllm.i18n import Catalogue
from tgllm.i18n.budgets import budget_words
from tgllm.services.allowance import Allowance, level_of
from tgllm.services.days import Days
from tgllm.services.lane import Lane
from tgllm.services.notify import AdminNotifier
from tgllm.services.text import clip
from tgllm.services.turn import Turn

__all__ = ["QuotaNews"]


class QuotaNews:
    """Tells it in the transaction that stores the turn."""

    def __init__(self, texts: Catalogue, days: Days, notifier: AdminNotifier) -> None:
        """Tell people in their chat, and admins through ``notifier``."""
        self._texts = texts
        self._days = days
        self._notifier = notifier

    def tell(self, conn: Connection, turn: Turn, allowances: Iterable[Allowance], now: int) -> None:
        """Tell what there is to tell, once.

        Args:
            conn: in the transaction that stores the turn.
            turn: that has ended.
            allowances: its budgets as they are now.
            now: UTC, in milliseconds.
        """
        for each in allowances:
            level = level_of(each)
            if level > each.told and budgets.tell(conn, *each.key, each.first_day, level):
                self._tell(conn, turn, each, now)

    def _tell(self, conn: Connection, turn: Turn, allowance: Allowance, now: int) -> None:
        budgets.prune(conn, self._days.month(now))
        spent = level_of(allowance) == 100
        if allowance.scope.kind == "bot":
            text = self._words("budget.spent_admin" if spent else "budget.near_admin", allowance, "")
            self._notifier.add(conn, text)
        elif turn.message_id is not None:
            text = self._words("budget.spent" if spent else "budget.near", allowance, turn.user.language)
            # In a group it is seen by the reply whose budget it is.
            reply_to = None if turn.chat.is_private else turn.message_id
            outbox.add(conn, [_message(Lane.parse(turn.lane), text, reply_to)], now)

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


def _message(lane: Lane, text: str, reply_to: int | None) -> NewOutbox:
    payload: dict[str, Any] = {
        "chat_id": lane.chat_id,
        "text": clip(text),
        "link_preview_options": {"is_disabled": True},
    }
    if reply_to is not None:
        payload["reply_parameters"] = {"message_id": reply_to, "allow_sending_without_reply": True}
    if lane.topic_id is not None:
        payload["message_thread_id"] = lane.topic_id
    if lane.business_connection_id is not None:
        payload["business_connection_id"] = lane.business_connection_id
    return NewOutbox(
        lane=lane.key, method="sendMessage", chat_id=lane.chat_id, thread_id=lane.topic_id, payload=payload
    )
