"""Button presses that waited at Telegram while the bot was offline: they are too old to be acted on.

Telegram says when a message was sent, but not when a button was pressed (Bot API: CallbackQuery). Updates come in the
order in which they happened, so a press is at least as old as the next message in the queue.
"""

import json
from collections.abc import Collection, Sequence
from typing import Final

from tgllm.api.clock import Clock
from tgllm.bot.intake.reading import Batch
from tgllm.bot.updates.values import as_id, as_mapping
from tgllm.db.tables.inbox import CALLBACK_LIFE, NewUpdate

__all__ = ["REASON", "OldPresses"]

REASON: Final = "pressed while the bot was offline"
_PRESS: Final = "callback_query"


class OldPresses:
    """Finds them in the batches after a start or an outage, until the queue at Telegram is empty."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._catching_up = True
        self._last: float | None = None
        """When a batch last came, by the monotonic clock."""

    def find(self, batch: Batch, now: int) -> Collection[int]:
        """Return the update ids of the old presses of a batch.

        Presses that start a turn, such as Retry, are not among them: they expire like messages.

        Args:
            batch: the next batch.
            now: UTC, in milliseconds.
        """
        came, last = self._clock.monotonic(), self._last
        self._last = came
        if last is not None and came - last > CALLBACK_LIFE / 1000:
            self._catching_up = True
        if not self._catching_up:
            return ()
        self._catching_up = batch.has_more
        return _older_than(batch.updates, now - CALLBACK_LIFE, more=batch.has_more)


def _older_than(updates: Sequence[NewUpdate], limit: int, *, more: bool) -> Collection[int]:
    """Return the ids of presses from before a time, as far as the messages after them show it.

    Args:
        updates: in order.
        limit: UTC, in milliseconds.
        more: whether others wait behind them; then the last messages stand for those.
    """
    if not any(update.kind == _PRESS and update.control for update in updates):
        return ()
    dates = [_date(update) for update in updates]
    known = [date for date in dates if date is not None]
    later = known[-1] if known and more else None
    found: set[int] = set()
    for update, date in zip(reversed(updates), reversed(dates), strict=True):
        if date is not None:
            later = date
        elif update.kind == _PRESS and update.control and later is not None and later < limit:
            found.add(update.update_id)
    return found


def _date(update: NewUpdate) -> int | None:
    """Return when a message was sent or edited, UTC in milliseconds; None for other updates."""
    if update.kind not in {"message", "edited_message"}:
        return None
    message = as_mapping(as_mapping(json.loads(update.payload)).get(update.kind))
    seconds = as_id(message.get("edit_date")) or as_id(message.get("date"))
    return None if seconds is None else seconds * 1000
