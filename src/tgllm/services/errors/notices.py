"""Notices to the admins about unexpected errors: the first of a kind at once, repetitions and floods as a summary."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import errors, outbox
from tgllm.db.tables.errors import ErrorRow
from tgllm.db.tables.outbox import CARD, NewOutbox
from tgllm.services.errors.texts import ErrorTexts
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.messaging.people import language_in, message_to
from tgllm.services.messaging.rows import PLACEHOLDER

__all__ = ["MOST_AT_ONCE", "Notices"]

MOST_AT_ONCE: Final = 5
"""Kinds of errors with a message of their own in an interval; further ones share the next summary."""

_OUTDATED: Final = 7 * 24 * 60 * 60 * 1000
"""Age in ms from which on an error is not announced any more, such as one from a time without notices."""

_TOLERANCE: Final = 1.0
"""Seconds by which a notice may be early: times are stored in whole milliseconds."""

_Text = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Told:
    """What the admins have got lately, in monotonic times."""

    own: Sequence[float] = ()
    """The messages about single new kinds within the interval."""
    summary: float | None = None
    """The latest summary."""


class Notices:
    """Decides what the admins are to read, in the transaction that stores the errors."""

    def __init__(self, notifier: AdminNotifier, texts: ErrorTexts, clock: Clock, interval: float) -> None:
        """Create the service.

        Args:
            notifier: adds messages to the outbox.
            texts: texts of the notices.
            clock: source of time.
            interval: minimum seconds between two messages about the same kind, and between two summaries.
        """
        self._notifier = notifier
        self._texts = texts
        self._clock = clock
        self._interval = interval
        self._told = _Told()
        self._next_told = self._told
        """What they have got once the transaction is committed."""

    def stored(self) -> None:
        """Note that the transaction of the latest ``add`` is committed; one that is rolled back may run again."""
        self._told = self._next_told

    def add(self, conn: Connection) -> float | None:
        """Add the notices that are due to the outbox; ``stored`` is called after the commit.

        Args:
            conn: the transaction that stores the errors.

        Returns:
            The seconds after which more may be due; None if nothing waits.
        """
        self._next_told = told = self._recent()
        rows = errors.unannounced(conn, milliseconds(self._clock) - _OUTDATED)
        if not rows:
            return None
        now = self._clock.monotonic()
        waiting = list(rows)
        for row in self._single(rows, told):
            if not self._send(conn, self._first(row), [row]):
                return None
            waiting.remove(row)
            self._next_told = told = replace(told, own=[*told.own, now])
        ready = [row for row in waiting if self._is_due(row)]
        if ready and self._until_summary(told) <= _TOLERANCE:
            self._send(conn, self._words(ready), ready, button=len(ready) == 1)
            self._next_told = told = replace(told, summary=now)
            waiting = [row for row in waiting if row not in ready]
        return self._next(waiting, told)

    def _recent(self) -> _Told:
        """Return what they have got within the interval."""
        now = self._clock.monotonic()
        return replace(self._told, own=[at for at in self._told.own if now - at < self._interval])

    def _single(self, rows: Sequence[ErrorRow], told: _Told) -> Sequence[ErrorRow]:
        """Return the new kinds that get a message of their own: all of them, or none if there are too many."""
        fresh = [row for row in rows if row.announced_at is None]
        return fresh if len(fresh) <= MOST_AT_ONCE - len(told.own) else ()

    def _is_due(self, row: ErrorRow) -> bool:
        return row.announced_at is None or self._until(row.announced_at) <= _TOLERANCE

    def _until(self, announced_at: int) -> float:
        """Return the seconds until a kind may be announced again; none if the clock was set back since."""
        passed = (milliseconds(self._clock) - announced_at) / 1000
        return 0.0 if passed < 0 else self._interval - passed

    def _until_summary(self, told: _Told) -> float:
        return 0.0 if told.summary is None else self._interval - (self._clock.monotonic() - told.summary)

    def _next(self, waiting: Sequence[ErrorRow], told: _Told) -> float | None:
        if not waiting:
            return None
        soonest = min(0.0 if row.announced_at is None else self._until(row.announced_at) for row in waiting)
        return max(soonest, self._until_summary(told), _TOLERANCE)

    def _first(self, row: ErrorRow) -> _Text:
        return lambda language: self._texts.first(row, language)

    def _words(self, rows: Sequence[ErrorRow]) -> _Text:
        if len(rows) > 1:
            return lambda language: self._texts.summary(rows, language)
        (row,) = rows
        return self._first(row) if row.announced_at is None else lambda language: self._texts.again(row, language)

    def _send(self, conn: Connection, text: _Text, rows: Sequence[ErrorRow], *, button: bool = True) -> bool:
        """Add a message for the admins; return False if there are none, so that the errors wait for them."""
        argument = f" {rows[0].id}" if button else ""
        now = milliseconds(self._clock)

        def message(chat_id: int) -> NewOutbox:
            language = language_in(conn, chat_id)
            label = self._texts.button(language, is_one=button)
            row = message_to(chat_id, text(language), [[(label, f"admin:errors{argument} +")]])
            # Its failure causes no notice: some admins may have no chat with the bot.
            return replace(row, payload={**row.payload, PLACEHOLDER: True}, priority=CARD)

        chats = self._notifier.chats(conn, now)
        outbox.add(conn, [message(chat_id) for chat_id in chats], now)
        if chats:
            errors.mark_announced(conn, [row.id for row in rows], now)
        return bool(chats)
