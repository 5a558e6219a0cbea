"""Sends broadcasts: a few messages a second into the outbox, so that answers need not wait behind them.

All that is known of a broadcast is in the database, so that a restart goes on where the last run was.
"""

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import broadcasts, outbox
from tgllm.db.tables.broadcasts import Broadcast
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.services.broadcasts.rows import progress_row, progress_text, report_row, text_row
from tgllm.services.common.wakeup import Wakeup
from tgllm.services.messaging.admins import AdminNotifier

__all__ = ["Broadcaster"]

log = get_logger(__name__)

PROGRESS_MILLISECONDS = 5000
"""Between two edits of the message that shows the progress: groups take 20 messages a minute (Bot FAQ)."""


class Broadcaster:
    """Works on one broadcast after the other."""

    def __init__(
        self, database: Database, clock: Clock, texts: Catalogue, notifier: AdminNotifier, rate: float
    ) -> None:
        """Prepare; ``run`` does the work.

        Args:
            database: where broadcasts are.
            clock: the time.
            texts: for the progress and the report.
            notifier: is woken when messages are in the outbox.
            rate: messages per second.
        """
        self._database = database
        self._clock = clock
        self._texts = texts
        self._notifier = notifier
        self._tick = max(1.0, 1 / rate)
        self._batch = max(1, int(rate * self._tick))
        self._started = Wakeup()
        self._shown: tuple[int, int, str] = (0, 0, "")

    def wake(self) -> None:
        """Say that a broadcast was started or stopped."""
        self._started.set()

    async def run(self) -> None:
        """Work until cancelled.

        Raises:
            DatabaseError: the database can't be used.
        """
        while True:
            # A look first, so that no write is made where there is nothing to do.
            if await self._database.read(broadcasts.current) is None:
                await self._started.wait()
                continue
            await self._database.write(self._step)
            await self._clock.sleep(self._tick)

    def _step(self, conn: Connection) -> None:
        """Count what was sent, put the next messages into the outbox, and tell the admin."""
        now = milliseconds(self._clock)
        broadcast = broadcasts.current(conn)
        if broadcast is None:
            return
        if broadcast.state == "stopping":
            broadcasts.leave_out_rest(conn, broadcast.id)
        broadcasts.collect(conn, broadcast.id)
        on_its_way = broadcasts.progress(conn, broadcast.id)
        if on_its_way.waiting:
            # What Telegram does not take as fast as it is given must not pile up before the answers.
            self._put(conn, broadcast, min(self._batch, 2 * self._batch - on_its_way.queued), now)
            on_its_way = broadcasts.progress(conn, broadcast.id)
        if on_its_way.waiting or on_its_way.queued:
            self._show(conn, broadcast, now)
        else:
            self._finish(conn, broadcast, now)

    def _put(self, conn: Connection, broadcast: Broadcast, count: int, now: int) -> None:
        for user_id in broadcasts.next_people(conn, broadcast.id, max(0, count), now):
            (row_id,) = outbox.add(conn, [text_row(user_id, broadcast.text)], now)
            broadcasts.queued(conn, broadcast.id, user_id, row_id)

    def _show(self, conn: Connection, broadcast: Broadcast, now: int) -> None:
        """Edit the message that shows the progress, if that is due and says something else."""
        text = progress_text(self._texts, broadcasts.get(conn, broadcast.id) or broadcast)
        shown_id, shown_at, shown = self._shown
        if shown_id == broadcast.id and (now - shown_at < PROGRESS_MILLISECONDS or shown == text):
            return
        self._edit(conn, broadcast, text, now)

    def _finish(self, conn: Connection, broadcast: Broadcast, now: int) -> None:
        ended = broadcasts.finish(conn, broadcast.id, now)
        self._edit(conn, ended, progress_text(self._texts, ended), now)
        outbox.add(conn, [report_row(self._texts, ended)], now)
        log.info("broadcast.finished", broadcast=ended.id, delivered=ended.delivered, people=ended.people)

    def _edit(self, conn: Connection, broadcast: Broadcast, text: str, now: int) -> None:
        self._shown = (broadcast.id, now, text)
        row = None if broadcast.progress_id is None else outbox.get(conn, broadcast.progress_id)
        if row is not None and row.message_id is not None:
            outbox.add(conn, [progress_row(self._texts, broadcast, text, row.message_id)], now)
