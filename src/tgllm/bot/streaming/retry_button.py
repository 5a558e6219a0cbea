"""The retry button under an answer."""

from collections.abc import Sequence
from dataclasses import replace

from tgllm.api import StreamEvent
from tgllm.bot.delivery.rows import buttons
from tgllm.bot.updates.raw import RETRY
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.conversations.turn import Sink, TurnOutcome

__all__ = ["RetryButton"]


class RetryButton:
    """Wrapper of a sink that adds the button to the last message of the answer."""

    def __init__(self, sink: Sink, turn_id: str, *, failed: str, whole: str | None) -> None:
        """Wrap a sink.

        Args:
            sink: shows the answer.
            turn_id: of the turn.
            failed: label of the button under a failed answer.
            whole: label under a complete answer; None: no button.
        """
        self._sink = sink
        self._turn_id = turn_id
        self._failed = failed
        self._whole = whole

    def show(self, event: StreamEvent) -> None:
        """Pass the event to the sink."""
        self._sink.show(event)

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:
        """Return the sink's messages, the last one with the button."""
        rows = await self._sink.finish(outcome)
        label = self._label(outcome)
        if not rows or label is None:
            return rows
        last, markup = rows[-1], buttons([[(label, f"{RETRY}:{self._turn_id}")]])
        return [*rows[:-1], replace(last, payload={**last.payload, "reply_markup": markup})]

    def _label(self, outcome: TurnOutcome) -> str | None:
        if _has_failed(outcome):
            return self._failed
        # A user who stopped an answer does not want another one.
        return self._whole if outcome.status == "ok" else None


def _has_failed(outcome: TurnOutcome) -> bool:
    return outcome.status in {"failed", "interrupted"} or (outcome.status == "ok" and not outcome.text.strip())
