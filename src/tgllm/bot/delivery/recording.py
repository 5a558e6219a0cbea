"""Records results of calls: a row is sent, repeated, given up, or its person is asked."""

from dataclasses import dataclass, replace

from tgllm.bot.delivery.fallbacks import following, method_of, stepped_down
from tgllm.bot.delivery.files import has_file
from tgllm.bot.delivery.own_messages import note_own
from tgllm.bot.delivery.repeats import mark_of_sent
from tgllm.bot.delivery.resolving import Arrived, why_not_found_out
from tgllm.bot.delivery.rows import EDIT_OF_PART, PLACEHOLDER, REPEATABLE, message_rows
from tgllm.bot.delivery.uncertain import settle
from tgllm.bot.telegram.failures import NOT_MODIFIED, CallFailure
from tgllm.config.model import SendingSection
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import known_ids
from tgllm.db.tables import messages, outbox
from tgllm.db.tables.outbox import OutboxRow
from tgllm.db.tables.plugins import unreachable
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.services.access.migration import move_chat
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.people import language_in
from tgllm.services.messaging.rows import with_priority

__all__ = ["GRACE_SECONDS", "LONGEST_PAUSE_SECONDS", "LONGEST_WAIT_SECONDS", "MOST_REPEATS", "Delivery", "Recorder"]

log = get_logger(__name__)

GRACE_SECONDS = 2.0
"""Time after a call of unknown result in which Telegram may still execute it, and other ids become known."""
MOST_REPEATS = 16
"""Most calls of an edit whose results stay unknown; they may be repeated without harm."""
LONGEST_PAUSE_SECONDS = 60.0
"""Longest pause before a call that may have been executed is repeated."""
LONGEST_WAIT_SECONDS = 30.0
"""Longest pause before a call that was certainly not executed, as without a connection, and before it is tried again to
find out about a message. People wait that long after an outage has ended."""
_NO_CHAT = "chat not found"
"""Part of the error text if a person has never started the bot. Bot API server: sendMessage."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Result of an attempt to send a row."""

    row: OutboxRow
    message_id: int | None = None
    failure: CallFailure | None = None
    repeatable: bool = False
    """Whether the call may be repeated without harm."""
    sends: bool = False
    """Whether the call sends a message."""
    is_made: bool = True
    """Whether the call of the row was made; else it was only tried to find out about an earlier one."""
    is_unclear: bool = False
    """Whether it can't be found out if the message has arrived."""
    arrived: Arrived | None = None
    """How it was found out that the message has arrived."""
    may_be_repeat: bool = False
    """Whether an earlier copy of the message may be in the chat."""

    @property
    def is_over(self) -> bool:
        """Whether the row will not be sent again, not even by a button."""
        return self.failure is None or self.failure.meaning in {"rejected", "blocked"}


class Recorder:
    """Records results of calls."""

    def __init__(self, texts: Catalogue, sending: SendingSection) -> None:
        """Create the recorder; ``sending`` has the settings for messages of unknown delivery."""
        self._texts = texts
        self._sending = sending

    def record(self, conn: Connection, delivery: Delivery, now: int) -> None:
        """Record the result of a row, within a transaction."""
        failure = delivery.failure
        if failure is None or NOT_MODIFIED in failure.reason:
            # An edit that would change nothing has arrived, at an earlier attempt perhaps.
            self._sent(conn, delivery, now)
        else:
            self._failed(conn, delivery, failure, now)

    def _failed(self, conn: Connection, delivery: Delivery, failure: CallFailure, now: int) -> None:
        row = delivery.row
        if outbox.drop_erased(conn, row.id):
            # Its content was deleted during the call. There is nothing left to repeat.
            log.info("send.erased", outbox=row.id)
        elif failure.moved_to is not None and row.chat_id is not None:
            # In this order: the move changes the chat of rows that are ready.
            outbox.mark_ready_again(conn, row.id, now, failure.reason, refused=delivery.is_made)
            move_chat(conn, row.chat_id, failure.moved_to, now)
        elif self.is_to_resolve(delivery):
            pause = GRACE_SECONDS if delivery.is_made else min(LONGEST_WAIT_SECONDS, 2.0 ** min(row.attempts, 10))
            outbox.mark_in_doubt(conn, row.id, now + int(pause * 1000), failure.reason)
        elif delivery.is_unclear and delivery.repeatable:
            outbox.mark_uncertain(conn, row.id, failure.reason)
            outbox.forget_ids(conn, row)
            outbox.resend(conn, row.id)
        elif failure.meaning in {"wait", "retry"} or (failure.meaning == "unknown" and delivery.repeatable):
            self._retry(conn, delivery, failure, now)
        elif failure.meaning == "unknown":
            why = None if delivery.is_unclear else why_not_found_out(row, resolve=self._sending.resolve)
            self._offer_again(conn, row, failure, now, why or failure.reason)
        elif _has_lost_its_message(row, failure):
            payload = {key: value for key, value in row.payload.items() if key != EDIT_OF_PART}
            method = method_of(payload)
            outbox.rewrite(conn, row.id, method=method, kind="send", payload=payload, error=failure.reason)
        elif failure.meaning == "rejected" and (less := stepped_down(row.payload)) is not None:
            method = row.method if row.kind == "edit" else method_of(less)
            outbox.rewrite(conn, row.id, method=method, kind=row.kind, payload=less, error=failure.reason)
        else:
            self._give_up(conn, row, failure, now)

    def _give_up(self, conn: Connection, row: OutboxRow, failure: CallFailure, now: int) -> None:
        """Mark a row as failed; tell the person what is missing, or note that the bot may not write to the chat."""
        outbox.mark_failed(conn, row.id, failure.reason)
        if row.chat_id is not None and (failure.meaning == "blocked" or _NO_CHAT in failure.reason.lower()):
            unreachable.note(conn, row.chat_id, now)
            return
        missed = PLACEHOLDER not in row.payload and (row.turn_id is not None or has_file(row.payload))
        if failure.meaning == "rejected" and missed:
            lane = Lane.parse(row.lane)
            language = language_in(conn, lane.chat_id)
            text = self._texts("send.file_failed" if has_file(row.payload) else "send.failed", language)
            outbox.add(conn, with_priority(message_rows(lane, text), row.priority), now)

    def is_to_resolve(self, delivery: Delivery) -> bool:
        """Return whether it will be found out if the message of a failed call has arrived."""
        row, failure = delivery.row, delivery.failure
        unknown = failure is not None and failure.meaning == "unknown" and delivery.sends and not delivery.is_unclear
        # What was once in doubt stays so until it is found out; only calls are counted.
        counted = row if delivery.is_made else replace(row, unconfirmed=0)
        return unknown and why_not_found_out(counted, resolve=self._sending.resolve) is None

    def _sent(self, conn: Connection, delivery: Delivery, now: int) -> None:
        row = delivery.row
        if row.chat_id is not None and delivery.message_id and delivery.sends:
            known_ids.note(conn, [(row.chat_id, delivery.message_id)])
            if delivery.arrived is None and not row.doubt:
                outbox.pass_over(conn, row)
        if delivery.arrived is not None and row.chat_id is not None:
            known_ids.note(conn, [(row.chat_id, message_id) for message_id in delivery.arrived.ids])
            outbox.mark_arrived(conn, delivery.arrived.too, now)
        if row.turn_id is not None and row.chat_id is not None and delivery.message_id is not None:
            messages.add_telegram_id(conn, row.turn_id, row.chat_id, delivery.message_id)
            note_own(conn, row, delivery.message_id, now)
        if delivery.may_be_repeat and delivery.message_id is not None and PLACEHOLDER not in row.payload:
            mark = self._texts("send.repeat", language_in(conn, Lane.parse(row.lane).chat_id))
            outbox.add(conn, [mark_of_sent(row, delivery.message_id, mark)], now)
        rest = following(row.payload)
        if rest is None:
            outbox.mark_sent(conn, [(row.id, delivery.message_id)], now)
        elif not outbox.drop_erased(conn, row.id):
            # All texts share one row, so that nothing else of the lane comes between them. The text that has arrived is
            # no part of it any more, so a crash leaves only the next one in doubt.
            outbox.rewrite(conn, row.id, method=method_of(rest), kind="send", payload=rest)

    def _offer_again(self, conn: Connection, row: OutboxRow, failure: CallFailure, now: int, why: str) -> None:
        log.info("send.unclear", outbox=row.id, chat=row.chat_id, reason=why)
        outbox.mark_uncertain(conn, row.id, failure.reason)
        outbox.add(conn, settle(conn, [row], self._texts, self._sending.unknown), now)

    def _retry(self, conn: Connection, delivery: Delivery, failure: CallFailure, now: int) -> None:
        row = delivery.row
        asked_to_wait = failure.meaning == "wait"
        # With "wait" and "retry" Telegram has not taken it, so any number of attempts does no harm.
        if row.unconfirmed >= MOST_REPEATS and failure.meaning == "unknown" and REPEATABLE not in row.payload:
            if EDIT_OF_PART in row.payload:
                # It contains an answer, which must not be lost without a notice.
                self._offer_again(conn, row, failure, now, f"calls without a result: {row.unconfirmed}")
            else:
                outbox.mark_failed(conn, row.id, failure.reason)
            return
        if failure.meaning == "unknown":
            pause = min(LONGEST_PAUSE_SECONDS, 2.0 ** min(row.unconfirmed, 10))
        else:
            pause = 0.0 if asked_to_wait else min(LONGEST_WAIT_SECONDS, 2.0 ** min(row.attempts, 10))
        pause = max(pause, failure.retry_after)
        refused = delivery.is_made and failure.meaning != "unknown"
        outbox.mark_ready_again(conn, row.id, now + int(pause * 1000), failure.reason, refused=refused)


def _has_lost_its_message(row: OutboxRow, failure: CallFailure) -> bool:
    """Return whether the message that an answer should replace was deleted. Bot API: editMessageText."""
    gone = "message to edit not found" in failure.reason or "message can't be edited" in failure.reason
    return EDIT_OF_PART in row.payload and failure.meaning == "rejected" and gone
