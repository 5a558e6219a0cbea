"""Fetches updates and stores them before they are confirmed.

aiogram's own polling confirms an update before it has been handled, and stops for good at an update that it can't
parse. Here a raw batch is committed to the inbox first; only the next getUpdates, with a higher offset, confirms it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiogram import Bot

from tgllm.api.clock import Clock
from tgllm.bot.telegram.failures import classify, fatal_error
from tgllm.bot.updates.raw import ALLOWED_UPDATES, RawGetUpdates, to_inbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.observe.logs import get_logger

__all__ = ["Poller"]

log = get_logger(__name__)

Take = Callable[[Sequence[NewUpdate]], Awaitable[None]]
"""Stores a batch of updates, possibly an empty one."""

BATCH = 100
"""Most updates in one response. Bot API: getUpdates, limit 1-100."""
GRACE_SECONDS = 10.0
"""Seconds after the end of its long poll at which a request times out."""
LONGEST_PAUSE_SECONDS = 30.0


class Poller:
    """Long polling of getUpdates."""

    def __init__(self, bot: Bot, clock: Clock, take: Take, *, timeout: int) -> None:
        """Create the poller; ``run`` polls.

        Args:
            bot: whose updates.
            clock: for waits.
            take: stores the updates.
            timeout: length of a long poll, in seconds.
        """
        self._bot = bot
        self._clock = clock
        self._take = take
        self._timeout = timeout
        self._offset: int | None = None
        self._failures = 0

    async def run(self) -> None:
        """Fetch and store until cancelled.

        Raises:
            TelegramRefused: the token is wrong, or another program fetches the updates.
            DatabaseError: the updates can't be stored; they stay unconfirmed.
        """
        while True:
            try:
                batch = await self._fetch()
            except Exception as error:  # noqa: BLE001  sorted into what ends the program and what passes
                await self._recover(error)
            else:
                self._failures = 0
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
        await self._take(rows)
        if rows:
            self._offset = max(row.update_id for row in rows) + 1

    async def _recover(self, error: Exception) -> None:
        """Wait after a transient error.

        Raises:
            TelegramRefused: the error is fatal.
        """
        fatal = fatal_error(error)
        if fatal is not None:
            raise fatal from error
        self._failures += 1
        failure = classify(error)
        pause = max(failure.retry_after, min(LONGEST_PAUSE_SECONDS, 0.5 * 2 ** min(self._failures, 10)))
        log.warning("poller.failed", reason=failure.reason, failures=self._failures, retry_in=pause)
        await self._clock.sleep(pause)
