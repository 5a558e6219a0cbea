"""Runs stored updates: one at a time in a lane, lanes in parallel, control updates ahead of the queue."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from aiogram import Bot, Dispatcher
from pydantic import ValidationError

from tgllm.api import DatabaseError
from tgllm.api.clock import Clock, milliseconds
from tgllm.bot.intake.isolation import Isolation, Selected
from tgllm.bot.scope import FAILED
from tgllm.bot.updates.first_look import FirstLook
from tgllm.bot.updates.parsing import parse_update
from tgllm.bot.updates.raw import ALLOWED_UPDATES
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.scrub import scrub
from tgllm.db.queries.shared import claims
from tgllm.db.queries.shared.claims import Places
from tgllm.db.tables import inbox, outbox
from tgllm.db.tables.inbox import InboxRow
from tgllm.db.tables.outbox import NewOutbox
from tgllm.observe.content import handling, texts_of
from tgllm.observe.errors import text_of, with_kind
from tgllm.observe.logs import get_logger, log_values
from tgllm.observe.metrics.table import UPDATE_SECONDS, UPDATES_ENDED
from tgllm.observe.tracing.spans import span
from tgllm.services.common.lane import Lane
from tgllm.services.common.wakeup import Wakeup
from tgllm.services.errors.reports import LoggedOnly, Reporter
from tgllm.services.tools.put_back import PutBack

__all__ = ["Dispatch"]

log = get_logger(__name__)

PARALLEL_STRANGERS = 4
"""Most updates of people without access that are handled at once, beside the others."""
CHATS_SHARE = 4
"""A chat with topics may take this part of the places, one in four. The others stay for other chats."""
LEAST_IN_CHAT = 2
"""Places that the topics of a chat have in any case, if there are as many."""

T = TypeVar("T")

Empty = Callable[[Connection, InboxRow, int], bool]
"""Empties an update that is not for the bot, at a time in UTC milliseconds; returns whether it did."""

Look = Callable[[Connection, InboxRow], FirstLook]
"""Reads what handlers need to know of a claimed update."""

Outcome = Literal["done", "failed", "quarantined", "put_back"]

Answer = Callable[[Connection, InboxRow], Sequence[NewOutbox]]
"""Returns the calls that answer an update."""

# The states of an update, in their order: why each exists, and what a crash in it costs.
#
# queued       Committed before it is confirmed to Telegram, which forgets it then. A crash costs nothing. An update
#              comes back here, and its attempt does not count, if its messages were edited before its turn began, or if
#              the program ends while its turn waits for an approval. What the turn has done is stored; see
#              ``services/tools``. Of several replicas any one may claim it.
# running      One of each lane; a partial unique index enforces it. After a crash the next start queues the update, and
#              its handler runs from the beginning. What the handler did outside of the transaction that ends the
#              update happens twice: the model is asked again, and a command of a plugin runs again. An update that
#              crashes the program never reaches its end, and would crash every start: see ``isolation``. With several
#              replicas its ``holder`` is the one that runs it. When that one is given up, another queues the update
#              in the transaction that removes its row, so that the lost one can store nothing any more.
# merged       Part of the turn of another update, its leader: of an album, or of a text that the client has split. It
#              has no task of its own. After a crash the leader starts again and finds its parts.
# done         Committed together with effects and replies. So no crash comes between them: an update is never over
#              without its answer, and never has its effects while it is still to be handled.
# failed       Its handler raised, or it crashes the program. The notice to its sender is in the same transaction.
# quarantined  aiogram can't parse it. Every attempt would fail in the same way, so it is kept for inspection only.
# expired      Set at startup only: the question is too old, and an answer costs money.


@dataclass(frozen=True, slots=True)
class _Claimed:
    """Result of a claim."""

    selected: Selected
    """Claimed updates, which start now."""
    queued: bool
    """Whether others wait, for the end of an update or for a free slot."""
    looks: Sequence[FirstLook]
    """What is stored about each of the claimed updates."""


class Dispatch:
    """Claims updates from the inbox and runs them through aiogram's dispatcher."""

    def __init__(  # noqa: PLR0913  most are keyword-only
        self,
        bot: Bot,
        dispatcher: Dispatcher,
        database: Database,
        clock: Clock,
        *,
        most_parallel: int,
        most_attempts: int,
        empty: Empty,
        look: Look = lambda _conn, _row: FirstLook(),
        ended: Callable[[InboxRow], None] = lambda _: None,
        answer_unparsed: Answer = lambda _conn, _row: (),
        errors: Reporter | None = None,
    ) -> None:
        """Create the dispatch; ``run`` claims and runs updates.

        Args:
            bot: the bot to which updates are bound.
            dispatcher: with the middlewares and handlers.
            database: with the inbox.
            clock: for times.
            most_parallel: most lanes that run at once, not counting control updates and people without access.
            most_attempts: crashes of the program after which an update that ran alone in them is given up.
            empty: empties an update that is not for the bot, before it is finished as failed or quarantined.
            look: called in the transaction that claims an update.
            ended: called with each update whose task has ended.
            answer_unparsed: returns the answer to an update that is quarantined and was not emptied.
            errors: where unexpected errors are reported; the log by default.
        """
        self._bot = bot
        self._dispatcher = dispatcher
        self._database = database
        self._clock = clock
        self._most_parallel = most_parallel
        self._most_attempts = most_attempts
        self._empty = empty
        self._look = look
        self._told_ended = ended
        self._answer_unparsed = answer_unparsed
        self._errors = errors or LoggedOnly()
        self._running = 0
        """Places that are taken; controls take none."""
        self._strangers = 0
        """Running updates of people without access, which take none of these places."""
        self._tasks: dict[int, asyncio.Task[None]] = {}
        """By update. A crash or a cancellation ends them all, and leaves their updates ``running``."""
        self._accepting = True
        self._idle = asyncio.Event()
        self._queued = True
        """Whether the end of an update may let another begin. Most often none waits, and no claim is committed."""
        self._claiming = asyncio.Lock()
        self._holder = database.member_id
        """Number of this replica; None where there is one process only."""
        self._is_certain = True
        """Whether the next claim finds something: another replica looks before it, since each claim is a write that
        makes the others look."""
        self._isolation = Isolation(clock, self._holder)
        self._begun = asyncio.TaskGroup()
        self._ended = False
        """Whether no task may begin any more: an error ends the program, or it was cancelled."""
        self.arrived = Wakeup()
        if self._holder is not None:
            database.on_commit("inbox", self.arrived.set)

    def stop_accepting(self) -> None:
        """Start only control updates from now on, so that running turns can still be stopped."""
        self._accepting = False

    async def wait_idle(self) -> None:
        """Wait until no update runs or is being claimed."""
        while True:
            # The database runs units in the order in which they were queued: after this one, a claim that was under
            # way has started its updates.
            await self._database.write(lambda _: None, durable=False)
            if not self._tasks:
                return
            self._idle.clear()
            await self._idle.wait()

    async def run(self) -> None:
        """Run updates until cancelled; running updates are then cancelled and retried after the next start.

        Raises:
            DatabaseError: the inbox can't be read or written.
        """
        async with self._begun:
            try:
                while True:
                    if self._holder is None or await self._may_claim(self._holder):
                        async with self._claiming:
                            # Not durable: if a power failure loses it, recovery would have queued its updates anyway.
                            await self._database.claim(self._claim(), then=self._begin)
                    await self._wait()
            finally:
                self._ended = True

    async def _may_claim(self, holder: int) -> bool:
        """Return whether a claim of this replica may find anything."""
        is_certain, self._is_certain = self._is_certain, False
        if is_certain:
            return True
        places = Places(*self._free(), None)
        attempts = self._most_attempts
        return await self._database.read(lambda conn: claims.may_claim(conn, holder, places, max_attempts=attempts))

    @property
    def has_place(self) -> bool:
        """Whether an update of a person with access could begin now."""
        return self._free()[0] > 0

    def _free(self) -> tuple[int, int]:
        """Return the free places, and those for people without access."""
        if not self._accepting:
            return 0, 0
        return max(0, self._most_parallel - self._running), max(0, PARALLEL_STRANGERS - self._strangers)

    async def _wait(self) -> None:
        """Wait until updates may be claimed."""
        seconds = self._isolation.next_look()
        if seconds is None:
            await self.arrived.wait()
            return
        async with asyncio.TaskGroup() as group:
            timer = group.create_task(self._wake_after(seconds))
            await self.arrived.wait()
            timer.cancel()
        self._is_certain = True

    async def _wake_after(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self.arrived.set()

    async def add(self, store: Callable[[Connection], T], stored: Callable[[T], None]) -> None:
        """Store updates, claim those that may start in the same transaction, and start them.

        They are on the disk when this returns; only then they may be confirmed to Telegram. On a server they are
        claimed in another transaction, which locks only what it takes; if the process ends between the two, another
        replica claims them.

        Args:
            store: adds the updates to the inbox.
            stored: called with the result of ``store`` after the commit, before any of the updates starts.

        Raises:
            DatabaseError: the updates can't be stored.
        """
        if self._holder is not None or self._claiming.locked():
            # Two claims at once would fill the same free places. These are claimed after the one that is under way.
            def queued(found: T) -> None:
                try:
                    stored(found)
                finally:
                    self._is_certain = True
                    self.arrived.set()

            await self._database.write(store, durable=self._holder is not None, then=queued)
            if self._holder is not None:
                return
        else:
            async with self._claiming:
                claim = self._claim()

                def then(found: tuple[T, _Claimed]) -> None:
                    try:
                        stored(found[0])
                    finally:
                        # They are claimed: without their tasks their lanes would wait until the next start.
                        self._begin(found[1])

                # The updates start at the commit, and wait for no disk. If a power failure undoes it, Telegram, which
                # has had no confirmation, sends them again; the commit of an answer synchronises this one as well.
                await self._database.write(lambda conn: (store(conn), claim(conn)), durable=False, then=then)
        # Not by a durable commit: SQLite synchronises nothing if all of the updates were stored before.
        await self._database.sync()

    def _claim(self) -> Callable[[Connection], _Claimed]:
        """Return the unit that claims updates; only one may be under way, since each fills all free slots."""
        free, strangers = self._free()
        now, most_attempts = milliseconds(self._clock), self._most_attempts
        most_in_chat = max(LEAST_IN_CHAT, self._most_parallel // CHATS_SHARE)
        permit = self._isolation.permit(free, strangers, self._running + self._strangers, most_in_chat)

        def unit(conn: Connection) -> _Claimed:
            selected = permit.claim(conn, now, most_attempts)
            return _Claimed(selected, inbox.has_queued(conn), [self._look(conn, row) for row in selected.rows])

        # An update may end before the claim returns; until then, assume that others wait for its end.
        self._queued = True
        return unit

    def _begin(self, claimed: _Claimed) -> None:
        """Start the claimed updates; updates claimed after the end of ``run`` are recovered at the next start."""
        if self._ended:
            return
        self._queued = claimed.queued
        self._isolation.begun(claimed.selected)
        ended = self._database.ended
        for row, seen in zip(claimed.selected.rows, claimed.looks, strict=True):
            look = replace(seen, ended=ended)
            self._count(row, 1)
            name = f"update {row.update_id}"
            self._tasks[row.update_id] = self._begun.create_task(self._run_one(row, look), name=name)

    async def _run_one(self, row: InboxRow, look: FirstLook) -> None:
        try:
            with (
                log_values(update_id=row.update_id, chat=Lane.parse(row.lane).chat_id),
                handling(lambda: texts_of(row.payload)),
            ):
                await self._observed(row, look)
        except Exception:
            # The task group is shutting down now, and would raise if a task were created in it.
            self._ended = True
            raise
        finally:
            self._leave(row)

    def _leave(self, row: InboxRow) -> None:
        """Free the slot of an update whose task has ended."""
        self._count(row, -1)
        self._isolation.ended(row.update_id)
        # An update that was released to the queue may already run again, in a new task.
        if self._tasks.get(row.update_id) is asyncio.current_task():
            del self._tasks[row.update_id]
            self._told_ended(row)
        if not self._tasks:
            self._idle.set()
        # Another replica may have stored an update of the lane since.
        if self._queued or self._holder is not None:
            self.arrived.set()

    def _count(self, row: InboxRow, change: int) -> None:
        if row.stranger:
            self._strangers += change
        elif not row.control:
            self._running += change

    async def _observed(self, row: InboxRow, look: FirstLook) -> None:
        """Handle an update, and log and count how it ended."""
        began = self._clock.monotonic()
        attributes = {"tgllm.update.id": row.update_id, "tgllm.update.kind": row.kind}
        with span("update", "consumer", attributes, begins=True) as opened:
            outcome = await self._handle(row, look)
            if outcome not in {"done", "put_back"}:
                opened.fail(outcome)
        seconds = self._clock.monotonic() - began
        UPDATES_ENDED.add(row.kind, outcome)
        UPDATE_SECONDS.observe(seconds)
        log.info("update.ended", kind=row.kind, outcome=outcome, duration_ms=round(seconds * 1000))

    async def _handle(self, row: InboxRow, look: FirstLook) -> Outcome:
        if row.kind not in ALLOWED_UPDATES:
            await self._forget(row)
            return "done"
        try:
            update = parse_update(row.payload, self._bot)
        except Exception as error:  # noqa: BLE001  aiogram's models run code of their own, which may fail in any way
            await self._quarantine(row, error)
            return "quarantined"
        try:
            result = await self._dispatcher.feed_update(self._bot, update, inbox_row=row, first_look=look)
        except DatabaseError:
            # Nothing can be stored any more. The program ends, and the update is queued again at the next start.
            raise
        except PutBack:
            await self._put_back(row)
            return "put_back"
        except Exception as error:  # noqa: BLE001  no update may stop the others, wherever it goes wrong
            self._errors.report(error, event="update.failed", kind=row.kind, update_id=row.update_id)
            await self._fail(row, error)
            return "failed"
        return "failed" if result is FAILED else "done"

    async def _put_back(self, row: InboxRow) -> None:
        """Queue an update again that waits for an approval while the program ends; the next start goes on with it."""
        await self._database.write(lambda conn: inbox.release(conn, row.update_id))

    async def _fail(self, row: InboxRow, error: Exception) -> None:
        now = milliseconds(self._clock)

        def unit(conn: Connection) -> None:
            reason = with_kind(type(error).__name__, "" if self._empty(conn, row, now) else text_of(error))
            inbox.finish(conn, row.update_id, "failed", now, reason)

        await self._database.write(unit)

    async def _forget(self, row: InboxRow) -> None:
        """Finish an update of a kind that the bot does not request, and keep only its id."""
        now = milliseconds(self._clock)

        def unit(conn: Connection) -> None:
            scrub(conn, row.update_id)
            inbox.finish(conn, row.update_id, "done", now)

        await self._database.write(unit)

    async def _quarantine(self, row: InboxRow, error: Exception) -> None:
        """Quarantine an update that this version of aiogram can't parse."""
        reason = ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
        log.warning("update.quarantined", kind=row.kind, reason=reason)
        now = milliseconds(self._clock)

        def unit(conn: Connection) -> None:
            is_for_the_bot = not self._empty(conn, row, now)
            # The first line of pydantic's errors has nothing of the content, that of others may quote it.
            is_safe = is_for_the_bot or isinstance(error, ValidationError)
            inbox.quarantine(conn, row.update_id, now, reason if is_safe else type(error).__name__)
            if is_for_the_bot:
                outbox.add(conn, self._answer_unparsed(conn, row), now)

        await self._database.write(unit)
