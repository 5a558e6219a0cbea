"""Delivers the outbox: the only module that sends replies to Telegram.

A row is marked as being sent before the call and as sent after it. After a crash or a lost connection in between, the
result is unknown, since sendMessage has no idempotency key. An edit is idempotent, so it is repeated; about a message
it is found out by ids whether it has arrived (``resolving``). What can't be found out becomes ``uncertain``: the user
is notified and gets a button to resend it.
"""

import asyncio
import json
from dataclasses import replace
from typing import Any

from aiogram import Bot
from aiogram.methods.base import TelegramMethod

from tgllm.api import DatabaseError
from tgllm.api.clock import Clock, milliseconds
from tgllm.bot.delivery.calls import call_of, edit_call, is_send, message_id_of, new_message_instead
from tgllm.bot.delivery.claims import Claims, Found, is_background
from tgllm.bot.delivery.fallbacks import stepped_down
from tgllm.bot.delivery.files import has_file, located, remove_document
from tgllm.bot.delivery.recording import Delivery, Recorder
from tgllm.bot.delivery.resolving import Absent, Arrived, Resolver, Unclear, why_not_found_out
from tgllm.bot.delivery.rows import EDIT_OF_PART, REPEATABLE
from tgllm.bot.delivery.uncertain import edited_message
from tgllm.bot.telegram.failures import CallFailure, TelegramRefused, classify, fatal_error, is_unexpected
from tgllm.bot.telegram.limiter import IN_BACKGROUND, RESERVED, Limiter
from tgllm.bot.telegram.outage import Outage
from tgllm.config.model import SendingSection
from tgllm.db.database import Database
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NewOutbox, OutboxRow
from tgllm.i18n import Catalogue
from tgllm.observe.content import handling, texts_of
from tgllm.observe.logs import get_logger, log_values
from tgllm.observe.metrics.table import SENDING_SECONDS
from tgllm.observe.tracing.spans import span
from tgllm.services.common.wakeup import Wakeup
from tgllm.services.errors.reports import LoggedOnly, Reporter
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.messaging.memory_texts import MemoryTexts

__all__ = ["Sender"]

log = get_logger(__name__)

LOOK_SECONDS = 0.25
"""Longest time between two looks for a message that another replica sends."""

# The states of a row, in their order: why each exists, and what a crash in it costs.
#
# ready      Committed together with its cause, such as the end of a turn. A crash costs nothing: the next start sends
#            the row, and the model is not called again. A row that the rate limits hold back is in this state.
# sending    Committed before the call, once the limiter has room for it. Without this state the next start could not
#            tell a row that may have left from one that has not. A crash leaves it unknown whether Telegram has the
#            row: an edit or a deletion is then repeated, and a message becomes ready again, in doubt: before it is
#            sent, its id is looked for among those that are not known (``resolving``). A stream has one such row at
#            most (a partial unique index enforces it); otherwise the order of its messages would depend on
#            which call is faster.
# ended      In memory only (``_finished``): the call is over, and the next unit of work records it. So one commit
#            records what has ended and claims what comes next. A crash costs the same as in the state before.
# sent       Telegram has it. Its message id is stored: edits, buttons and replies refer to it. A row with more texts to
#            send becomes ready again instead, with the next of them.
# uncertain  The call left, no answer came, and it could not be found out what became of it. The row waits for the
#            person's decision; the rows behind it go out meanwhile. A crash costs nothing: the notice with the buttons
#            is committed together with the state.
# failed     Telegram refuses it, and there is no simpler form of it left. A crash costs nothing: the notice to the
#            person is committed together with the state.
# dropped    Discarded before it was sent: its content was deleted, it is outdated, or the person has it already.


class Sender:
    """Takes rows from the outbox, by priority and in the order of each stream, and sends them."""

    def __init__(  # noqa: PLR0913  one is keyword-only, and three have defaults
        self,
        bot: Bot,
        database: Database,
        limiter: Limiter,
        clock: Clock,
        texts: Catalogue,
        memory_texts: MemoryTexts | None = None,
        errors: Reporter | None = None,
        *,
        sending: SendingSection | None = None,
        storage: FileStorage | None = None,
    ) -> None:
        """Create the sender; ``run`` sends.

        Unexpected errors are reported to ``errors``, by default to the log; files are fetched from ``storage``.
        """
        self._storage = storage
        self._sending = sending or SendingSection()
        self._recorder = Recorder(texts, self._sending)
        self._resolver = Resolver(bot, database)
        self._errors = errors or LoggedOnly()
        self._bot = bot
        self._database = database
        self._clock = clock
        self._memory_texts = memory_texts or MemoryTexts()
        self._work = Wakeup()
        self._claims = Claims(limiter)
        self._finished: list[Delivery] = []
        self._released: list[tuple[int, int]] = []
        """Claimed rows whose calls are not made yet, and when they are due again."""
        self._waiting: dict[int, asyncio.Future[int | None]] = {}
        self._idle = asyncio.Event()
        self._claiming = True
        self._calls: asyncio.TaskGroup | None = None
        """Tasks of the calls; None while no more may begin."""
        self._outage = Outage(log, clock, "send.failed")
        self._recorded = asyncio.Event()
        """Set by the next commit that records calls, also one of another replica."""
        database.on_commit("outbox", self.wake)
        database.on_commit("sent", self._note_recorded)

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
        self._database.expect("outbox")
        row_id = await self._database.write(lambda conn: _add_once(conn, row, milliseconds(self._clock)))
        if isinstance(row_id, OutboxRow):
            return row_id.message_id
        # The commit has woken the sender, but the row still has to be sent: the future is there in time.
        future = self._waiting[row_id] = asyncio.get_running_loop().create_future()
        try:
            if self._database.is_server:
                return await self._sent_by_any(row_id, future)
            return await future
        finally:
            self._waiting.pop(row_id, None)

    async def _sent_by_any(self, row_id: int, future: "asyncio.Future[int | None]") -> int | None:
        """Return the id of the message when this replica has sent it, or the one that leads."""
        while not future.done():
            recorded = asyncio.create_task(self._recorded.wait(), name="message of another replica")
            try:
                stored = await self._database.read(lambda conn: outbox.get(conn, row_id))
                if stored is None or stored.state not in {"ready", "sending"}:
                    return None if stored is None else stored.message_id
                both = {future, recorded}
                await asyncio.wait(both, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            finally:
                recorded.cancel()
        return future.result()

    def _note_recorded(self) -> None:
        """Let those look again who wait for a message that another replica sends."""
        recorded, self._recorded = self._recorded, asyncio.Event()
        recorded.set()

    async def run(self) -> None:
        """Send until cancelled.

        Raises:
            TelegramRefused: Telegram does not accept the token any more.
            DatabaseError: the outbox can't be read or written.
        """
        # A cancellation cancels the calls too, and leaves their rows ``sending``, as a crash does. So a shutdown waits
        # for the calls first.
        async with asyncio.TaskGroup() as calls:
            self._calls = calls
            try:
                while True:
                    found = await self._turn_over()
                    # Rows that were committed after the look have woken the sender, and are looked at next.
                    if not (self._claims.under_way or found.pending or self._work.is_set):
                        self._idle.set()
                    await self._work.wait_for(self._claims.pause(found, self._clock.now()), self._clock)
            finally:
                self._calls = None

    def _begin(self, found: Found) -> None:
        """Make the calls of claimed rows, or return the rows to the queue for which the limiter has no room any more.

        Called right after the commit. After the end of ``run`` the rows stay ``sending``, as after a crash.
        """
        calls = self._calls
        if calls is None:
            return
        for row in found.rows:
            wait = self._claims.begin(row, is_large=row.id in found.large)
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
        is_server = self._database.is_server

        def unit(conn: Connection) -> Found:
            # First, so that a stream whose row has ended can have its next one claimed at once.
            for delivery in finished:
                self._recorder.record(conn, delivery, now)
            for row_id, not_before in released:
                if not outbox.drop_erased(conn, row_id):
                    outbox.release(conn, row_id, not_before)
            if finished and is_server:
                signal(conn, "sent")
            return Found() if claim is None else claim(conn)

        # If this fails, the program ends, and the rows of ``finished`` are still ``sending``.
        result = await self._database.write(unit, answers="outbox", then=self._begin)
        # After the commit: who waits for a row reads what is stored of it, and until a row is ``sent`` its file may be
        # needed again. A file that a crash leaves behind is removed by the retention.
        self._announce(finished)
        for delivery in finished:
            if delivery.row.claimed_at is not None:
                SENDING_SECONDS.observe(max(0, milliseconds(self._clock) - delivery.row.claimed_at) / 1000)
            if delivery.is_over and not _is_sent_as_file(delivery):
                await remove_document(delivery.row.payload, self._storage)
        return result

    async def _deliver(self, row: OutboxRow) -> None:
        """Make the call of a row and add its result to the finished ones."""
        try:
            await self._make(row)
        except BaseException:
            # The task group is shutting down now, and would raise if a task were created in it.
            self._calls = None
            raise

    async def _make(self, row: OutboxRow) -> None:
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

    async def _attempt(self, row: OutboxRow) -> Delivery:
        absent: Absent | None = None
        if row.doubt:
            found = await self._find(row)
            if isinstance(found, Delivery):
                return found
            absent = found
        try:
            method = await self._method(row)
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001  a row that asks for something impossible must not stop the others
            self._note_unexpected(row, error)
            return Delivery(row, failure=classify(error))
        if absent is not None:
            # So that calls are counted, and not the times when it was tried to find out about them.
            await self._database.write(lambda conn: outbox.begin_again(conn, row.id))
            row = replace(row, unconfirmed=row.unconfirmed + 1)
        delivery = await self._call(row, method)
        if absent is not None and delivery.message_id is not None:
            earlier = await self._resolver.find_earlier(row, absent, delivery.message_id)
            message_id = delivery.message_id if earlier.message_id is None else earlier.message_id
            return replace(delivery, message_id=message_id, may_be_repeat=not earlier.is_certain)
        return delivery

    async def _find(self, row: OutboxRow) -> Delivery | Absent:
        """Find out whether an earlier call of a row has arrived."""
        # However many calls there were.
        why = why_not_found_out(replace(row, unconfirmed=0), resolve=self._sending.resolve)
        match await self._resolver.find(row) if why is None else Unclear(why):
            case Arrived() as arrived:
                return Delivery(row, arrived.message_id, sends=True, arrived=arrived)
            case Unclear(reason=reason):
                failure = CallFailure("unknown", reason)
                return Delivery(
                    row, failure=failure, repeatable=REPEATABLE in row.payload, is_made=False, is_unclear=True
                )
            case CallFailure() as failure:
                return Delivery(row, failure=failure, sends=True, is_made=False)
            case Absent() as absent:
                return absent

    async def _call(self, row: OutboxRow, method: TelegramMethod[Any]) -> Delivery:
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
            return Delivery(row, failure=classify(error), repeatable=repeatable, sends=is_send(method))
        return Delivery(row, message_id_of(result), sends=is_send(method))

    def _note_unexpected(self, row: OutboxRow, error: Exception) -> None:
        if is_unexpected(error):
            with handling(lambda: texts_of(json.dumps(row.payload))):
                self._errors.report(error, event="send.broken", outbox=row.id, method=row.method)

    async def _put_back(self, row: OutboxRow, error: TelegramRefused) -> None:
        """Keep a row for the next start: the fatal error concerns the bot, not the row."""
        now = milliseconds(self._clock)
        await self._database.write(lambda conn: outbox.mark_ready_again(conn, row.id, now, error.code, refused=True))

    async def _method(self, row: OutboxRow) -> TelegramMethod[Any]:
        if EDIT_OF_PART not in row.payload:
            return call_of(row.method, await located(self._memory_texts.filled(row.payload), self._storage))
        message_id = await self._database.read(lambda conn: edited_message(conn, row))
        return new_message_instead(row.payload) if message_id is None else edit_call(row.payload, message_id)

    def _announce(self, finished: list[Delivery]) -> None:
        """Wake the callers of ``post_and_wait``, now that the states of their rows are committed."""
        for delivery in finished:
            future = self._waiting.get(delivery.row.id)
            again = delivery.failure is not None and (
                delivery.failure.meaning in {"wait", "retry"}
                or delivery.repeatable
                or self._recorder.is_to_resolve(delivery)
            )
            if future is not None and not future.done() and not again:
                future.set_result(delivery.message_id)


def _is_sent_as_file(delivery: Delivery) -> bool:
    """Return whether Telegram has rejected a picture, which is sent as a file next."""
    less = None if delivery.failure is None else stepped_down(delivery.row.payload)
    return less is not None and has_file(less)


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
