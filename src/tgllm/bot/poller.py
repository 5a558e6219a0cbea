"""Fetches updates and stores them before they are confirmed.

aiogram's own polling confirms an update before it has been handled, and one update that it can't parse stops it for
good. Here a batch is committed to the inbox as it came; only the next getUpdates, with a higher offset, tells Telegram
to forget it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiogram import Bot

from tgllm.api.clock import Clock, milliseconds
from tgllm.bot.failures import classify, fatal_error
from tgllm.bot.updates import ALLOWED_UPDATES, RawGetUpdates, to_inbox
from tgllm.db import inbox, outbox
from tgllm.db.inbox import NewUpdate
from tgllm.db.outbox import NewOutbox
from tgllm.db.unit import Connection
from tgllm.observe.logs import get_logger

__all__ = ["Poller"]

log = get_logger(__name__)

Acknowledge = Callable[[Connection, Sequence[NewUpdate], int], Sequence[NewOutbox]]
Stored = Callable[[Sequence[NewUpdate], bool], None]
Add = Callable[[Callable[[Connection], bool], Callable[[bool], None]], Awaitable[None]]
"""Stores updates with the first function, and tells the second one what that has returned, before they begin."""

BATCH = 100
"""Updates in one answer at most. Bot API: getUpdates, limit 1-100."""
GRACE_SECONDS = 10.0
"""How much longer than its long poll a request may take before it is given up."""
LONGEST_PAUSE_SECONDS = 30.0


class Poller:
    """Runs getUpdates for ever."""

    def __init__(
        self,
        bot: Bot,
        clock: Clock,
        add: Add,
        *,
        timeout: int,
        acknowledge: Acknowledge = lambda _conn, _updates, _now: (),
        stored: Stored = lambda _updates, _waits: None,
    ) -> None:
        """Prepare.

        Args:
            bot: whose updates.
            clock: for waits.
            add: stores them, and lets those begin that may.
            timeout: seconds that one request waits at Telegram for something to come.
            acknowledge: says, in the transaction that stores updates, what is to be sent for them at once; the last
                argument is the time.
            stored: is told of updates that are stored, before anybody works on them; and whether anything is to be
                sent.
        """
        self._bot = bot
        self._clock = clock
        self._add = add
        self._timeout = timeout
        self._acknowledge = acknowledge
        self._stored = stored
        self._offset: int | None = None
        self._failures = 0

    async def run(self) -> None:
        """Fetch and store until cancelled.

        Raises:
            TelegramRefused: the token is wrong, or somebody else fetches the updates.
            DatabaseError: the updates can't be stored; they stay with Telegram.
        """
        while True:
            try:
                batch = await self._fetch()
            except Exception as error:  # noqa: BLE001  sorted into what ends the program and what passes
                await self._recover(error)
            else:
                self._failures = 0
                if batch:
                    await self._store(batch)

    async def _fetch(self) -> list[dict[str, Any]]:
        request = RawGetUpdates(
            offset=self._offset, limit=BATCH, timeout=self._timeout, allowed_updates=list(ALLOWED_UPDATES)
        )
        return await self._bot(request, request_timeout=int(self._timeout + GRACE_SECONDS))

    async def _store(self, batch: list[dict[str, Any]]) -> None:
        rows = [row for raw in batch if (row := to_inbox(raw)) is not None]
        if len(rows) < len(batch):
            log.warning("poller.update_without_id", count=len(batch) - len(rows))
        if not rows:
            return
        now = milliseconds(self._clock)

        def unit(conn: Connection) -> bool:
            # An update that comes twice has been acknowledged already.
            if inbox.add_updates(conn, rows, now) < len(rows):
                return False
            return bool(outbox.add(conn, self._acknowledge(conn, rows, now), now))

        await self._add(unit, lambda acknowledged: self._stored(rows, acknowledged))
        self._offset = max(row.update_id for row in rows) + 1

    async def _recover(self, error: Exception) -> None:
        """Wait out what passes by itself.

        Raises:
            TelegramRefused: what does not.
        """
        fatal = fatal_error(error)
        if fatal is not None:
            raise fatal from error
        self._failures += 1
        failure = classify(error)
        pause = max(failure.retry_after, min(LONGEST_PAUSE_SECONDS, 0.5 * 2 ** min(self._failures, 10)))
        log.warning("poller.failed", reason=failure.reason, failures=self._failures, retry_in=pause)
        await self._clock.sleep(pause)
