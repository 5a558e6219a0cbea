"""The button under an answer that failed: it asks the question again."""

from collections.abc import Sequence
from dataclasses import replace

from tgllm.api import StreamEvent
from tgllm.bot.messages import buttons
from tgllm.bot.updates import RETRY
from tgllm.db.outbox import NewOutbox
from tgllm.services.turn import Sink, TurnOutcome

__all__ = ["RetryButton"]


class RetryButton:
    """A sink that passes everything on and puts the button under the last message of a failed answer."""

    def __init__(self, sink: Sink, turn_id: str, label: str) -> None:
        """Pass on to ``sink`` what happens in that turn."""
        self._sink = sink
        self._markup = buttons([[(label, f"{RETRY}:{turn_id}")]])

    def show(self, event: StreamEvent) -> None:
        """Pass it on."""
        self._sink.show(event)

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:
        """The messages of the sink, the last one with the button if the answer is not what it should be."""
        rows = await self._sink.finish(outcome)
        if not rows or not _has_failed(outcome):
            return rows
        last = rows[-1]
        return [*rows[:-1], replace(last, payload={**last.payload, "reply_markup": self._markup})]


def _has_failed(outcome: TurnOutcome) -> bool:
    return outcome.status in {"failed", "interrupted"} or (outcome.status == "ok" and not outcome.text.strip())
