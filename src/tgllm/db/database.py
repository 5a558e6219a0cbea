"""Database access of the running program."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar, cast

from tgllm.api.clock import Clock, SystemClock, milliseconds
from tgllm.db.connection import init_db
from tgllm.db.engine.errors import DatabaseError, DatabaseLost
from tgllm.db.engine.gate import StorageGate
from tgllm.db.engine.place import Place, Server, is_url
from tgllm.db.engine.session import Session, Store
from tgllm.db.engine.signals import Signal
from tgllm.db.engine.sqlite import in_words, rewrite_version, sync_log
from tgllm.db.engine.sqlite_store import SqliteStore
from tgllm.db.engine.unit import Connection
from tgllm.db.engine.writer import ConnectionThread
from tgllm.db.file.identity import mark_program
from tgllm.db.file.known import mark_known
from tgllm.db.file.presence import Loss, Presence, mark_run

if TYPE_CHECKING:
    import sqlite3

__all__ = ["Database"]

T = TypeVar("T")

RETRY_SECONDS = 2.0
"""Pause between two attempts of units that wait for the disk."""
LOCK_SECONDS = 5.0
"""How long such a unit waits for another process's transaction before the database counts as locked."""


class Database:
    """One writer and one reader, each a connection on its own thread.

    A unit of work is a plain function that takes the connection and may call any functions of the table modules; its
    changes are stored together or not at all. It must not await, keep the connection, or begin or end transactions.
    It may run more than once, so it changes nothing but the database (what it leaves behind is replaced, not added to).
    Units that are queued at the same time share a commit.
    """

    def __init__(self, store: Store, clock: Clock | None = None) -> None:
        """Set up an unopened database; call ``Database.open`` instead."""
        self.store = store
        """Where it is."""
        self.gate = StorageGate((clock or SystemClock()).monotonic)
        """Open, except while units wait for the disk; see ``patient``."""
        self._writer = ConnectionThread(store, "writer", self.announce)
        self._reader = ConnectionThread(store, "reader")
        self._presence: Presence | None = None
        self._has_written = False
        self._asked = 0
        self._listeners: dict[Signal, list[Callable[[], None]]] = {}

    @classmethod
    async def open(cls, place: Place | str, *, clock: Clock | None = None) -> Self:
        """Open a database; create it or migrate it to this version first.

        Args:
            place: the path of a SQLite file (see ``init_db``), a server, or the URL of its database.
            clock: source of time; the system clock by default.

        Raises:
            DatabaseError: the database can't be used, or is newer than the program.
        """
        database = cls(await _prepared(place, clock), clock)
        try:
            await database._writer.open()
            await database._reader.open()
            await database.changed_elsewhere()
        except BaseException:
            await database.aclose()
            raise
        return database

    @property
    def is_server(self) -> bool:
        """Whether several processes may run on it, on several machines; else it is a file."""
        return self.store.path is None

    @property
    def member_id(self) -> int | None:
        """Number of this process among those that share the database of a server; None for a file."""
        return self.store.member_id

    @property
    def path(self) -> Path:
        """The file.

        Raises:
            DatabaseError: the database is on a server.
        """
        if self.store.path is None:
            raise DatabaseError(f"{self.store.place} is no file", code="database_no_file")
        return self.store.path

    @asynccontextmanager
    async def patient(self, clock: Clock) -> AsyncGenerator[None]:
        """Inside the block, let units wait for a disk that is full, read-only, locked or failing, instead of raising.

        They are tried again every few seconds; ``gate`` is closed meanwhile. Damage and the loss of the file raise.
        """
        for thread in (self._writer, self._reader):
            await thread.outside(lambda session: session.limit_waits(LOCK_SECONDS))
            thread.wait_at(self.gate)
        trying = asyncio.create_task(self._try_again(clock), name="attempts to store")
        try:
            yield
        finally:
            trying.cancel()
            await asyncio.wait({trying})
            self.wait_no_more()

    def wait_no_more(self) -> None:
        """Pass the errors of the disk to those who wait, and to all later callers: the program ends."""
        self.gate.give_up()
        for thread in (self._writer, self._reader):
            thread.wait_no_more()

    async def _try_again(self, clock: Clock) -> None:
        while True:
            await self.gate.wait_closed()
            await clock.sleep(RETRY_SECONDS)
            for thread in (self._writer, self._reader):
                thread.try_again()

    async def write(
        self,
        unit: Callable[[Connection], T],
        *,
        durable: bool = True,
        then: Callable[[T], None] | None = None,
        patient: bool = True,
        answers: Signal | None = None,
    ) -> T:
        """Run ``unit`` in a transaction and return its result after the commit.

        Units run one after another. A unit that has started runs to its end even if the caller is cancelled; the
        caller then does not know whether it was committed.

        Args:
            unit: the unit of work.
            durable: False commits without an fsync. The transaction survives a crash of the program, but a power
                failure may undo it until the next durable commit. For work that can be repeated, such as claiming an
                update.
            then: callback that receives the unit's result after the commit and before the caller, even if the caller
                was cancelled. It runs on the event loop and must not raise: an exception is passed to the caller,
                and the unit stays committed.
            patient: False raises an error of the disk at once also inside of ``Database.patient``, for test writes and
                for callers with a time limit.
            answers: a signal to which the unit reacts. Units before it in the same transaction that give it call no
                listener, since this one sees their changes.

        Raises:
            DatabaseError: the file can't be written; the unit is rolled back.
            sqlite3.IntegrityError: a row violates a constraint of the schema; the unit is rolled back.
        """
        self._has_written = True
        return await self._writer.unit(unit, durable=durable, then=then, patient=patient, answers=answers)

    async def claim(self, unit: Callable[[Connection], T], *, then: Callable[[T], None] | None = None) -> T:
        """Run a unit that takes rows which other processes want too, as ``write`` does.

        In a file it is not durable. On a server the unit runs alone in its transaction and passes over rows that others
        have locked (``FOR UPDATE SKIP LOCKED``). It sees what others commit while it runs, so that each of its
        statements must hold by itself.

        Raises:
            DatabaseError: as ``write``.
        """
        self._has_written = True
        return await self._writer.unit(unit, durable=False, then=then, claims=self.is_server)

    @property
    def ended(self) -> int:
        """Number of units and other jobs of the writer that have ended.

        The callback ``then`` of a unit finds a number. As long as it stays the same, the database holds what the unit
        has read, but for what other processes write; a look for those counts as well (``changed_elsewhere``). On a
        server others may write at any time, so that no number comes twice.
        """
        if self.is_server:
            self._asked += 1
            return -self._asked
        return self._writer.ended

    async def sync(self) -> None:
        """Wait until everything that was committed is on the disk, also by units that were not durable.

        So work can begin at the commit, and only what has to wait for the disk waits for it.

        Raises:
            DatabaseError: the file can't be written.
        """
        if self.is_server:
            await self._writer.unit(_nothing)
            return
        # Not on the writer's thread, where it would stand between units that could share a commit.
        if not await asyncio.to_thread(sync_log, self.path):
            # Such as on a system on which only SQLite can open the log, or on a disk that fails, which is waited for.
            await self.write(lambda conn: rewrite_version(cast("sqlite3.Connection", conn)))

    def expect(self, signal: Signal) -> None:
        """Call the listeners of a signal that the next unit is going to give.

        What they submit then runs behind that unit in the same transaction, instead of in another one after its commit.
        """
        self.announce(signal)

    def on_commit(self, signal: Signal, listener: Callable[[], None]) -> None:
        """Have ``listener`` called after each commit that holds a unit which gave the signal.

        It is called on the event loop, before those who wait for the units go on, also where they were cancelled. It
        must return at once and not raise. What other processes commit is noticed only on a server, and there not
        always; see ``listen`` and ``changed_elsewhere``.
        """
        self._listeners.setdefault(signal, []).append(listener)

    def announce(self, signal: Signal) -> None:
        """Call the listeners of a signal, such as after a commit of another process, whose signals are unknown."""
        for listener in self._listeners.get(signal, ()):
            listener()

    @property
    def can_listen(self) -> bool:
        """Whether other processes can wake this one: on a server, unless there is only a pooler's URL."""
        server = self.store.server
        return server is not None and (server.listen_url is not None or not server.pooled)

    async def listen(self, clock: Clock) -> None:
        """Announce the signals of other processes until cancelled; only where ``can_listen`` is true.

        They make nothing safe, only quick: some are lost while the connection is. ``changed_elsewhere`` finds what they
        were about.
        """
        from tgllm.db.postgres.listening import Listening  # noqa: PLC0415  imports psycopg, which few bots need

        if self.store.server is None:
            raise DatabaseError(f"{self.store.place} is a file", code="database_no_server")
        await Listening(self.store.server, self.member_id, self.announce, clock).run()

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run ``query`` on a snapshot of the database: everything committed before, nothing committed meanwhile.

        Raises:
            DatabaseError: the file can't be read, or the query tried to write.
        """
        return await self._reader.unit(query)

    async def changed_elsewhere(self) -> bool:
        """Return whether another process has written to the database since the last call."""
        return await self._writer.outside(lambda session: session.changed())

    async def watch_file(self, clock: Clock, beside: tuple[str, ...] = ()) -> None:
        """Remember the files in use and that the bot has run with them; ``lost`` compares.

        Args:
            clock: source of the time of a stored value.
            beside: names of further files of the folder that must stay.

        Raises:
            DatabaseError: the file can't be written.
        """
        if self.is_server:
            return
        run, now = secrets.token_hex(16), milliseconds(clock)

        def mark(conn: Connection) -> None:
            mark_run(conn, run, 0, now)
            mark_program(conn, now)

        await self.write(mark)
        # Without the id in the file itself, only the log has it. Another process may prevent the checkpoint.
        compared = run if await self.checkpoint() else None
        with in_words(self.path):
            await asyncio.to_thread(mark_known, self.path)
        self._presence = Presence(self.path, beside, compared)

    async def lost(self) -> Loss | None:
        """Return what of the files in use was deleted, moved or replaced since ``watch_file``."""
        return None if self._presence is None else await asyncio.to_thread(self._presence.look)

    async def mark_again(self, clock: Clock) -> None:
        """After writes, store a new mark, so that a copy of the file from before them is recognised.

        Raises:
            DatabaseError: the file can't be written.
        """
        if self._presence is None or not self._has_written:
            return
        self._has_written = False
        if mark := self._presence.next_mark():
            now = milliseconds(clock)
            await self._writer.unit(lambda conn: mark_run(conn, *mark, now), durable=False, patient=False)

    async def rescue(self, loss: Loss, now: int) -> DatabaseLost:
        """Copy what is still there after a loss, and return the error that ends the bot."""
        from tgllm.db.file.rescue import RESCUED, loss_error, rescue  # noqa: PLC0415  short commands never need it

        if loss not in RESCUED:
            return loss_error(loss, self.path)

        def copy(session: Session) -> tuple[DatabaseLost, bool]:
            return rescue(cast("sqlite3.Connection", session.connection), self.path, loss, now)

        error, is_copied = await self._writer.outside(copy)
        if is_copied and loss == "replaced" and self._presence is not None:
            await asyncio.to_thread(self._presence.drop_logs)
        return error

    async def checkpoint(self) -> bool:
        """Copy all committed content from the write-ahead log into the file, and truncate the log.

        Returns:
            Whether the log is empty; if another process is reading, a part stays until a later checkpoint.

        Raises:
            DatabaseError: the file can't be written.
        """
        return await self._writer.outside(lambda session: session.checkpoint())

    async def aclose(self) -> None:
        """Run the queued units, then close both connections. A second call does nothing."""
        await asyncio.gather(self._writer.aclose(), self._reader.aclose())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


async def _prepared(place: Place | str, clock: Clock | None) -> Store:
    """Return the store of a place, with the schema of this version."""
    if isinstance(place, str) and is_url(place):
        place = Server(place)
    if isinstance(place, Server):
        from tgllm.db.engine.driver import require_driver  # noqa: PLC0415  only for a server

        require_driver()
        from tgllm.db.postgres.store import open_server  # noqa: PLC0415  imports psycopg, which few bots need

        return await asyncio.to_thread(open_server, place, milliseconds(clock or SystemClock()))
    await init_db(place, clock=clock)
    return SqliteStore(Path(place))


def _nothing(_conn: Connection) -> None:
    """Write nothing: the commit itself is what is wanted."""
