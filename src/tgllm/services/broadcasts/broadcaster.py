"""Background task for broadcasts: adds a few messages per second to the outbox, so that answers are not delayed.

The state of a broadcast is in the database, so that it continues after a restart.
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

__all__ = ["Broadcaster"]

log = get_logger(__name__)

PROGRESS_MILLISECONDS = 5000
"""Minimum interval of edits of the progress message: groups are limited to 20 messages a minute (Bot FAQ)."""

_Shown = tuple[int, int, str]
"""What the progress message shows: the broadcast, when it was edited, its text."""


class Broadcaster:
    """Sends one broadcast after the other."""

    def __init__(self, database: Database, clock: Clock, texts: Catalogue, rate: float) -> None:
        """Create a broadcaster; ``run`` does the work.

        Args:
            database: holds the broadcasts.
            clock: source of time.
            texts: texts of the progress message and the report.
            rate: messages per second.
        """
        self._database = database
        self._clock = clock
        self._texts = texts
        self._tick = max(1.0, 1 / rate)
        self._batch = max(1, int(rate * self._tick))
        self._started = Wakeup()
        self._shown: _Shown = (0, 0, "")

    def wake(self) -> None:
        """Signal that a broadcast was started or stopped."""
        self._started.set()

    async def run(self) -> None:
        """Work until cancelled.

        Raises:
            DatabaseError: the database can't be used.
        """
        while True:
            # A read first, so that an idle broadcaster does not write.
            if await self._database.read(broadcasts.current) is None:
                await self._started.wait()
                continue
            self._shown = await self._database.write(self._step)
            await self._clock.sleep(self._tick)

    def _step(self, conn: Connection) -> _Shown:
        """Count sent messages, add the next ones, update the progress message, and return what it shows."""
        now = milliseconds(self._clock)
        broadcast = broadcasts.current(conn)
        if broadcast is None:
            return self._shown
        if broadcast.state == "stopping":
            broadcasts.leave_out_rest(conn, broadcast.id)
        broadcasts.collect(conn, broadcast.id)
        on_its_way = broadcasts.progress(conn, broadcast.id)
        if on_its_way.waiting:
            # At most two batches are queued, so that answers don't wait when Telegram is slower than the rate.
            self._put(conn, broadcast, min(self._batch, 2 * self._batch - on_its_way.queued), now)
            on_its_way = broadcasts.progress(conn, broadcast.id)
        if on_its_way.waiting or on_its_way.queued:
            return self._show(conn, broadcast, now)
        return self._finish(conn, broadcast, now)

    def _put(self, conn: Connection, broadcast: Broadcast, count: int, now: int) -> None:
        for user_id in broadcasts.next_people(conn, broadcast.id, max(0, count), now):
            (row_id,) = outbox.add(conn, [text_row(user_id, broadcast.text)], now)
            broadcasts.queued(conn, broadcast.id, user_id, row_id)

    def _show(self, conn: Connection, broadcast: Broadcast, now: int) -> _Shown:
        """Edit the progress message, if its text has changed and the last edit is long enough ago."""
        text = progress_text(self._texts, broadcasts.get(conn, broadcast.id) or broadcast)
        shown_id, shown_at, shown = self._shown
        if shown_id == broadcast.id and (now - shown_at < PROGRESS_MILLISECONDS or shown == text):
            return self._shown
        return self._edit(conn, broadcast, text, now)

    def _finish(self, conn: Connection, broadcast: Broadcast, now: int) -> _Shown:
        ended = broadcasts.finish(conn, broadcast.id, now)
        shown = self._edit(conn, ended, progress_text(self._texts, ended), now)
        outbox.add(conn, [report_row(self._texts, ended)], now)
        log.info("broadcast.finished", broadcast=ended.id, delivered=ended.delivered, people=ended.people)
        return shown

    def _edit(self, conn: Connection, broadcast: Broadcast, text: str, now: int) -> _Shown:
        row = None if broadcast.progress_id is None else outbox.get(conn, broadcast.progress_id)
        if row is not None and row.message_id is not None:
            outbox.add(conn, [progress_row(self._texts, broadcast, text, row.message_id)], now)
        return broadcast.id, now, text
