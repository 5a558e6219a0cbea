"""The buttons under an answer: retry, continue, and files."""

from collections.abc import Sequence
from dataclasses import replace

from tgllm.bot.delivery.fallbacks import FALLBACK
from tgllm.bot.delivery.files import DOCUMENT
from tgllm.bot.delivery.rows import buttons
from tgllm.bot.streaming.file_buttons import file_buttons
from tgllm.bot.updates.raw import CONTINUE, RETRY
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.conversations.turn import ShownEvent, Sink, TurnOutcome

__all__ = ["RetryButton"]


class RetryButton:
    """Wrapper of a sink that adds the buttons to the last message of the answer."""

    def __init__(
        self, sink: Sink, turn_id: str, *, failed: str, whole: str | None, cut: str, code_lines: int = 0
    ) -> None:
        """Wrap a sink.

        Args:
            sink: shows the answer.
            turn_id: of the turn.
            failed: label of the button that asks again below an answer that failed or is empty.
            whole: label of the button that asks again below any other answer; None: no button.
            cut: label of the button that continues an answer that was stopped or reached its maximum length.
            code_lines: lines from which a code block has a button; 0: no buttons that send files.
        """
        self._sink = sink
        self._turn_id = turn_id
        self._failed = failed
        self._whole = whole
        self._cut = cut
        self._code_lines = code_lines

    def show(self, event: ShownEvent) -> None:
        """Pass the event to the sink."""
        self._sink.show(event)

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:
        """Return the sink's messages, the last one with the buttons."""
        rows = await self._sink.finish(outcome)
        is_file = any(DOCUMENT in row.payload and FALLBACK in row.payload for row in rows)
        files = await file_buttons(outcome.text, self._turn_id, self._code_lines, whole=not is_file)
        keyboard = [row for row in (self._row(outcome), *files) if row]
        if not rows or not keyboard:
            return rows
        last, markup = rows[-1], buttons(keyboard)
        return [*rows[:-1], replace(last, payload={**last.payload, "reply_markup": markup})]

    def _row(self, outcome: TurnOutcome) -> Sequence[tuple[str, str]]:
        retry = f"{RETRY}:{self._turn_id}"
        if _has_failed(outcome):
            again = [(self._failed, retry)]
        else:
            again = [(self._whole, retry)] if self._whole is not None else []
        return [(self._cut, f"{CONTINUE}:{self._turn_id}"), *again] if _is_cut(outcome) else again


def _is_cut(outcome: TurnOutcome) -> bool:
    return outcome.reason == "length" or (outcome.status == "stopped" and bool(outcome.text.strip()))


def _has_failed(outcome: TurnOutcome) -> bool:
    return outcome.status in {"failed", "interrupted"} or outcome.is_empty
