"""Delivers the outbox: the only module that sends replies to Telegram.

A row is marked as being sent before the call and as sent after it. After a crash or a lost connection in between, the
result is unknown, since sendMessage has no idempotency key: such a row becomes ``uncertain`` and is not retried
automatically. The user is notified and gets a button to resend it; an edit is idempotent, so it is retried.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiogram import Bot
from aiogram.methods.base import TelegramMethod

from tgllm.api import DatabaseError
from tgllm.api.clock import Clock, milliseconds
from tgllm.bot.delivery.calls import call_of, edit_call, is_send, message_id_of, new_message_instead
from tgllm.bot.delivery.claims import Claims, Found, is_background
from tgllm.bot.delivery.fallbacks import following, method_of, stepped_down
from tgllm.bot.delivery.files import has_file, remove_document
from tgllm.bot.delivery.rows import EDIT_OF_PART, PLACEHOLDER, REPEATABLE, message_rows
from tgllm.bot.delivery.uncertain import edited_message, uncertain_notices
from tgllm.bot.telegram.failures import NOT_MODIFIED, CallFailure, TelegramRefused, classify, fatal_error, is_unexpected
from tgllm.bot.telegram.limiter import IN_BACKGROUND, RESERVED, Limiter
from tgllm.bot.telegram.outage import Outage
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import messages, outbox
from tgllm.db.tables.outbox import NewOutbox, OutboxRow
from tgllm.i18n import Catalogue
from tgllm.observe.content import handling, texts_of
from tgllm.observe.logs import get_logger, log_values
from tgllm.observe.tracing.spans import span
from tgllm.services.access.migration import move_chat
from tgllm.services.common.lane import Lane
from tgllm.services.common.wakeup import Wakeup
from tgllm.services.errors.reports import LoggedOnly, Reporter
from tgllm.services.messaging.memory_texts import MemoryTexts
from tgllm.services.messaging.people import language_in
from tgllm.services.messaging.rows import with_priority

__all__ = ["Sender"]

log = get_logger(__name__)

# The states of a row, in their order: why each exists, and what a crash in it costs.
#
# ready      Committed together with its cause, such as the end of a turn. A crash costs nothing: the next start sends
#            the row, and the model is not called again. A row that the rate limits hold back is in this state.
# sending    Committed before the call, once the limiter has room for it. Without this state the next start could not
#            tell a row that may have left from one that has not. A crash leaves it unknown whether Telegram has the
#            row: an edit or a deletion is then repeated, and about a message the person is asked. A stream has one
#            such row at most (a partial unique index enforces it); otherwise the order of its messages would depend on
#            which call is faster.
# ended      In memory only (``_finished``): the call is over, and the next unit of work records it. So one commit
#            records what has ended and claims what comes next. A crash costs the same as in the state before.
# sent       Telegram has it. Its message id is stored: edits, buttons and replies refer to it. A row with more texts to
#            send becomes ready again instead, with the next of them.
# uncertain  The call left and no answer came. The Bot API has no idempotency key, so the row waits for the person's
#            decision; the rows behind it go out meanwhile. A crash costs nothing: the notice with the buttons is
#            committed together with the state.
# failed     Telegram refuses it, and there is no simpler form of it left. A crash costs nothing: the notice to the
#            person is committed together with the state.
# dropped    Discarded before it was sent: its content was deleted, it is outdated, or the person has it already.

MOST_ATTEMPTS = 8
"""Most attempts for a row whose result stays unknown; calls that were not executed are retried without limit, and so
are notices of uncertain messages."""
LONGEST_PAUSE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class _Delivery:
    """Result of an attempt to send a row."""

    row: OutboxRow
    message_id: int | None = None
    failure: CallFailure | None = None
    repeatable: bool = False
    """Whether the call may be repeated without harm."""

    @property
    def is_over(self) -> bool:
        """Whether the row will not be sent again, not even by a button."""
        return self.failure is None or self.failure.meaning in {"rejected", "blocked"}


class Sender:
    """Takes rows from the outbox, by priority and in the order of each stream, and sends them."""

    def __init__(
        self,
        bot: Bot,
        database: Database,
        limiter: Limiter,
        clock: Clock,
        texts: Catalogue,
        memory_texts: MemoryTexts | None = None,
        errors: Reporter | None = None,
    ) -> None:
        """Create the sender; ``run`` sends. Unexpected errors are reported to ``errors``, by default to the log."""
        self._errors = errors or LoggedOnly()
        self._bot = bot
        self._database = database
        self._clock = clock
        self._texts = texts
        self._memory_texts = memory_texts or MemoryTexts()
        self._work = Wakeup()
        self._claims = Claims(limiter)
        self._finished: list[_Delivery] = []
        self._released: list[tuple[int, int]] = []
        """Claimed rows whose calls are not made yet, and when they are due again."""
        self._waiting: dict[int, asyncio.Future[int | None]] = {}
        self._idle = asyncio.Event()
        self._claiming = True
        self._outage = Outage(log, clock, "send.failed")
        database.on_commit("outbox", self.wake)

    def stop_claiming(self) -> None:
        """Start no further calls; those under way continue, and ``wait_idle`` waits only for them."""
        self._claiming = False
        self.wake()

    def leave_background(self) -> None:
        """Start no further calls of the background; ``wait_idle`` waits only for the others."""
        self._claims.leave_background()
        self.wake()

    def wake(self) -> None:
        """Read the outbox again; commits of this program that add rows call it."""
        self._idle.clear()
        self._work.set()

    async def wait_idle(self) -> None:
        """Wait until all due rows have been handled."""
        await self._idle.wait()

    async def post_and_wait(self, row: NewOutbox) -> int | None:
        """Add a row, unless its turn has it already, and wait until it is sent.

        Returns:
            The id of the message; None if sending failed or its result is unknown.
        """
        row_id = await self._database.write(lambda conn: _add_once(conn, row, milliseconds(self._clock)))
        if isinstance(row_id, OutboxRow):
            return row_id.message_id
        # The commit has woken the sender, but the row still has to be sent: the future is there in time.
        future = self._waiting[row_id] = asyncio.get_running_loop().create_future()
        try:
            return await future
        finally:
            self._waiting.pop(row_id, None)

    async def run(self) -> None:
        """Send until cancelled.

        Raises:
            TelegramRefused: Telegram does not accept the token any more.
            DatabaseError: the outbox can't be read or written.
        """
        # A cancellation cancels the calls too, and leaves their rows ``sending``, as a crash does. So a shutdown waits
        # for the calls first.
        async with asyncio.TaskGroup() as calls:
            while True:
                found = await self._turn_over()
                for row in found.rows:
                    self._begin(row, calls)
                # Rows that were committed after the look have woken the sender, and are looked at next.
                if not (self._claims.under_way or found.pending or self._work.is_set):
                    self._idle.set()
                await self._work.wait_for(self._claims.pause(found, self._clock.now()), self._clock)

    def _begin(self, row: OutboxRow, calls: asyncio.TaskGroup) -> None:
        """Make the call of a claimed row, or return the row to the queue if the limiter has no room any more."""
        wait = self._claims.begin(row)
        if wait is None:
            calls.create_task(self._deliver(row), name=f"send {row.id}")
        else:
            self._released.append((row.id, milliseconds(self._clock) + int(wait * 1000)))
            self._work.set()

    async def _turn_over(self) -> Found:
        """Record finished calls and claim the next rows, in one transaction."""
        finished, self._finished = self._finished, []
        released, self._released = self._released, []
        now = milliseconds(self._clock)
        claim = self._claims.prepare(now) if self._claiming else None

        def unit(conn: Connection) -> Found:
            # First, so that a stream whose row has ended can have its next one claimed at once.
            for delivery in finished:
                self._record(conn, delivery, now)
            for row_id, not_before in released:
                if not outbox.drop_erased(conn, row_id):
                    outbox.release(conn, row_id, not_before)
            return Found() if claim is None else claim(conn)

        # If this fails, the program ends, and the rows of ``finished`` are still ``sending``.
        result = await self._database.write(unit)
        # After the commit: who waits for a row reads what is stored of it, and until a row is ``sent`` its file may be
        # needed again. A file that a crash leaves behind is removed by the retention.
        self._announce(finished)
        for delivery in finished:
            if delivery.is_over and not _is_sent_as_file(delivery):
                await remove_document(delivery.row.payload)
        return result

    async def _deliver(self, row: OutboxRow) -> None:
        """Make the call of a row and add its result to the finished ones."""
        IN_BACKGROUND.set(is_background(row))
        RESERVED.set(True)
        with (
            log_values(**({} if row.turn_id is None else {"turn": row.turn_id})),
            span("outbox send", "producer", {"tgllm.outbox.id": row.id}, after=row.turn_id or "") as opened,
        ):
            delivery = await self._attempt(row)
            if delivery.failure is not None:
                opened.fail(delivery.failure.meaning)
        if delivery.failure is not None:
            self._note_failure(row, delivery.failure)
        else:
            self._outage.over()
        # Nothing is awaited from here on, so that ``_turn_over`` sees the row either under way or finished.
        self._claims.end(row)
        self._finished.append(delivery)
        self._work.set()

    def _note_failure(self, row: OutboxRow, failure: CallFailure) -> None:
        """Log a failure; one of the connection, which many rows have, at once and then rarely."""
        if failure.connection is not None:
            self._outage.failed(failure, outbox=row.id, chat=row.chat_id)
        else:
            log.warning(
                "send.failed",
                outbox=row.id,
                turn=row.turn_id,
                chat=row.chat_id,
                method=row.method,
                meaning=failure.meaning,
                reason=failure.reason,
                attempt=row.attempts,
            )

    async def _attempt(self, row: OutboxRow) -> _Delivery:
        try:
            method = await self._method(row)
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001  a row that asks for something impossible must not stop the others
            self._note_unexpected(row, error)
            return _Delivery(row, failure=classify(error))
        delivery = await self._call(row, method)
        if delivery.failure is not None and _has_lost_its_message(row, delivery.failure):
            # Both calls are one attempt. After a crash in it the edit is repeated and refused again, and the message is
            # sent again; the person then has it twice if it had arrived.
            return await self._call(row, new_message_instead(row.payload))
        return delivery

    async def _call(self, row: OutboxRow, method: TelegramMethod[Any]) -> _Delivery:
        try:
            result = await self._bot(method)
        except Exception as error:
            fatal = fatal_error(error)
            if fatal is not None:
                # Telegram has certainly not taken it. A row left ``sending`` would become uncertain at the next start.
                await self._put_back(row, fatal)
                raise fatal from error
            self._note_unexpected(row, error)
            repeatable = not is_send(method) or REPEATABLE in row.payload
            return _Delivery(row, failure=classify(error), repeatable=repeatable)
        return _Delivery(row, message_id_of(result))

    def _note_unexpected(self, row: OutboxRow, error: Exception) -> None:
        if is_unexpected(error):
            with handling(lambda: texts_of(json.dumps(row.payload))):
                self._errors.report(error, event="send.broken", outbox=row.id, method=row.method)

    async def _put_back(self, row: OutboxRow, error: TelegramRefused) -> None:
        """Keep a row for the next start: the fatal error concerns the bot, not the row."""
        now = milliseconds(self._clock)
        await self._database.write(lambda conn: outbox.mark_ready_again(conn, row.id, now, error.code))

    async def _method(self, row: OutboxRow) -> TelegramMethod[Any]:
        if EDIT_OF_PART not in row.payload:
            return call_of(row.method, self._memory_texts.filled(row.payload))
        message_id = await self._database.read(lambda conn: edited_message(conn, row))
        return new_message_instead(row.payload) if message_id is None else edit_call(row.payload, message_id)

    def _record(self, conn: Connection, delivery: _Delivery, now: int) -> None:
        """Record the result of a row, within a transaction."""
        row, failure = delivery.row, delivery.failure
        if failure is None or NOT_MODIFIED in failure.reason:
            # An edit that would change nothing has arrived, at an earlier attempt perhaps.
            self._sent(conn, delivery, now)
        elif outbox.drop_erased(conn, row.id):
            # Its content was deleted during the call. There is nothing left to repeat.
            log.info("send.erased", outbox=row.id)
        elif failure.moved_to is not None and row.chat_id is not None:
            # In this order: the move changes the chat of rows that are ready.
            outbox.mark_ready_again(conn, row.id, now, failure.reason)
            move_chat(conn, row.chat_id, failure.moved_to, now)
        elif failure.meaning in {"wait", "retry"} or (failure.meaning == "unknown" and delivery.repeatable):
            self._retry(conn, row, failure, now)
        elif failure.meaning == "unknown":
            self._offer_again(conn, row, failure, now)
        elif failure.meaning == "rejected" and (less := stepped_down(row.payload)) is not None:
            method = row.method if row.kind == "edit" else method_of(less)
            outbox.rewrite(conn, row.id, method=method, kind=row.kind, payload=less, error=failure.reason)
        else:
            outbox.mark_failed(conn, row.id, failure.reason)
            missed = PLACEHOLDER not in row.payload and (row.turn_id is not None or has_file(row.payload))
            if failure.meaning == "rejected" and missed:
                lane = Lane.parse(row.lane)
                language = language_in(conn, lane.chat_id)
                text = self._texts("send.file_failed" if has_file(row.payload) else "send.failed", language)
                outbox.add(conn, with_priority(message_rows(lane, text), row.priority), now)

    def _sent(self, conn: Connection, delivery: _Delivery, now: int) -> None:
        row = delivery.row
        if row.turn_id is not None and row.chat_id is not None and delivery.message_id is not None:
            messages.add_telegram_id(conn, row.turn_id, row.chat_id, delivery.message_id)
        rest = following(row.payload)
        if rest is None:
            outbox.mark_sent(conn, [(row.id, delivery.message_id)], now)
        elif not outbox.drop_erased(conn, row.id):
            # All texts share one row, so that nothing else of the lane comes between them. The text that has arrived is
            # no part of it any more, so a crash leaves only the next one in doubt.
            outbox.rewrite(conn, row.id, method=method_of(rest), kind="send", payload=rest)

    def _offer_again(self, conn: Connection, row: OutboxRow, failure: CallFailure, now: int) -> None:
        outbox.mark_uncertain(conn, row.id, failure.reason)
        outbox.add(conn, uncertain_notices(conn, [row], self._texts), now)

    def _retry(self, conn: Connection, row: OutboxRow, failure: CallFailure, now: int) -> None:
        asked_to_wait = failure.meaning == "wait"
        # With "wait" and "retry" Telegram has not taken it, so any number of attempts does no harm.
        if row.attempts >= MOST_ATTEMPTS and failure.meaning == "unknown" and REPEATABLE not in row.payload:
            if EDIT_OF_PART in row.payload:
                # It contains an answer, which must not be lost without a notice.
                self._offer_again(conn, row, failure, now)
            else:
                outbox.mark_failed(conn, row.id, failure.reason)
            return
        pause = max(
            failure.retry_after, 0.0 if asked_to_wait else min(LONGEST_PAUSE_SECONDS, 2.0 ** min(row.attempts, 10))
        )
        outbox.mark_ready_again(conn, row.id, now + int(pause * 1000), failure.reason)

    def _announce(self, finished: list[_Delivery]) -> None:
        """Wake the callers of ``post_and_wait``, now that the states of their rows are committed."""
        for delivery in finished:
            future = self._waiting.get(delivery.row.id)
            again = delivery.failure is not None and (
                delivery.failure.meaning in {"wait", "retry"} or delivery.repeatable
            )
            if future is not None and not future.done() and not again:
                future.set_result(delivery.message_id)


def _is_sent_as_file(delivery: _Delivery) -> bool:
    """Return whether Telegram has rejected a picture, which is sent as a file next."""
    less = None if delivery.failure is None else stepped_down(delivery.row.payload)
    return less is not None and has_file(less)


def _has_lost_its_message(row: OutboxRow, failure: CallFailure) -> bool:
    """Return whether the message that an answer should replace was deleted. Bot API: editMessageText."""
    gone = "message to edit not found" in failure.reason or "message can't be edited" in failure.reason
    return EDIT_OF_PART in row.payload and failure.meaning == "rejected" and gone


def _add_once(conn: Connection, row: NewOutbox, now: int) -> int | OutboxRow:
    """Add a row; the one that is there if its turn has a row in that place.

    After a crash the turn starts again, and its first attempt may have added the row, or even have sent it.
    """
    if row.turn_id is not None:
        present = outbox.find(conn, row.turn_id, row.part)
        if present is not None and present.state != "ready":
            return present
        if present is not None:
            return present.id
    return outbox.add(conn, [row], now)[0]
