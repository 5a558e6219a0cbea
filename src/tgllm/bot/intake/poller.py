"""Fetches updates and stores them before they are confirmed.

aiogram's own polling confirms an update before it has been handled, and stops for good at an update that it can't
parse. Here a raw batch is committed to the inbox first; only the next getUpdates, with a higher offset, confirms it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiogram import Bot
from aiogram.exceptions import TelegramConflictError

from tgllm.api import DatabaseError
from tgllm.api.clock import Clock
from tgllm.bot.intake.conflicts import Conflicts
from tgllm.bot.intake.health import Health
from tgllm.bot.intake.reading import Batch, Unreadable, sort_out
from tgllm.bot.telegram.failures import CallFailure, classify, fatal_error
from tgllm.bot.telegram.get_updates import BadResponse, Entry, RawGetUpdates
from tgllm.bot.telegram.outage import Outage
from tgllm.bot.telegram.session import BotSession
from tgllm.bot.updates.raw import ALLOWED_UPDATES
from tgllm.observe.logs import get_logger

__all__ = ["Poller"]

log = get_logger(__name__)

Take = Callable[[Batch], Awaitable[bool]]
"""Stores a batch of updates, possibly an empty one; returns whether any of them was new."""

BATCH = 100
"""Most updates in one response. Bot API: getUpdates, limit 1-100."""
GRACE_SECONDS = 10.0
"""Seconds after the end of its long poll at which a request times out."""
HANG_SECONDS = 5.0
"""Seconds after that at which a request is given up that did not time out by itself."""
LONGEST_PAUSE_SECONDS = 30.0
HASTY_PART: Final = 0.1
"""Part of the long poll before whose end an empty response is hasty."""
MOST_HASTY: Final = 3
"""Hasty responses without a pause."""
HASTY_PAUSE_SECONDS: Final = 0.5
TRIES: Final = 2
"""Requests for a whole batch that fail before the updates are fetched one by one."""
FIRST_STEPS: Final = 4
"""Iterations of the event loop between the storage of updates and the next request. In them a question gets as far as
its request to the model: its own task, the one that reads the stream, and the one that writes the request's body."""
SINGLE_TRIES: Final = 3
"""Requests for a single update that fail before it is skipped."""


class Poller:
    """Long polling of getUpdates."""

    def __init__(
        self, bot: Bot, clock: Clock, take: Take, *, timeout: int, health: Health, conflicts: Conflicts
    ) -> None:
        """Create the poller; ``run`` polls.

        Args:
            bot: whose updates.
            clock: for waits.
            take: stores the updates.
            timeout: length of a long poll, in seconds.
            health: is told whether requests succeed.
            conflicts: decides what happens if another program fetches the updates.
        """
        self._bot = bot
        self._clock = clock
        self._take = take
        self._timeout = timeout
        self._health = health
        self._conflicts = conflicts
        self._offset: int | None = None
        self._asked_at = 0.0
        self._asking = False
        self._limit = BATCH
        self._singles = 0
        """Updates that are still fetched one by one; then no more of those that can't be read are expected."""
        self._failures = 0
        self._bad = 0
        """Responses in a row from which no update could be read, at the present limit."""
        self._outage = Outage(log, clock, "poller.failed")
        self._hasty = 0
        """Empty responses in a row that did not wait for updates."""
        self._stale = 0
        """Responses in a row that brought only updates that are stored."""

    def seconds_asking(self) -> float:
        """Return how long the present request has lasted; 0 if there is none."""
        return self._clock.monotonic() - self._asked_at if self._asking else 0.0

    def seconds_since_success(self) -> float | None:
        """Return the seconds since the last successful request; None before the first one."""
        return self._health.seconds_since_fine()

    async def run(self) -> None:
        """Fetch and store until cancelled.

        Raises:
            TelegramRefused: the token is wrong, or another program fetches the updates.
            DatabaseError: the updates can't be stored, and waiting does not help; they stay unconfirmed.
        """
        await self._conflicts.wait_out()
        while True:
            await self._health.storable()
            try:
                entries = await self._fetch()
                batch = _readable(entries, self._limit)
            except BadResponse as error:
                await self._skip(error)
            except TelegramConflictError as error:
                await self._health.failed("another program fetches the updates")
                await self._conflicts.met(error)
            except DatabaseError:
                raise
            except Exception as error:  # noqa: BLE001  sorted into what ends the program and what passes
                await self._recover(error)
            else:
                await self._store(batch)

    async def _fetch(self) -> Sequence[Entry]:
        request = RawGetUpdates(
            offset=self._offset, limit=self._limit, timeout=self._timeout, allowed_updates=list(ALLOWED_UPDATES)
        )
        self._asked_at = self._clock.monotonic()
        self._asking = True
        try:
            # The limit of the request has the same length, but it is the client's, which may be what hangs.
            async with asyncio.timeout(self._timeout + GRACE_SECONDS + HANG_SECONDS):
                return await self._bot(request, request_timeout=int(self._timeout + GRACE_SECONDS))
        finally:
            self._asking = False

    async def _wait_if_hasty(self) -> None:
        """Wait after empty responses of a server without long polling; without a pause they would follow at once."""
        is_hasty = self._clock.monotonic() - self._asked_at < self._timeout * HASTY_PART
        self._hasty = self._hasty + 1 if is_hasty else 0
        if self._hasty > MOST_HASTY:
            await self._clock.sleep(HASTY_PAUSE_SECONDS)

    async def _store(self, batch: Batch) -> None:
        """Store a batch; from now on its updates are confirmed by the next request."""
        is_new = await self._take(batch)
        self._outage.over()
        await self._health.fine()
        await self._conflicts.received()
        self._failures = self._bad = 0
        self._singles -= 1
        if batch.is_empty or self._singles <= 0:
            self._limit = BATCH
        if batch.is_empty:
            await self._wait_if_hasty()
            return
        self._hasty = 0
        self._offset = max(batch.ids) + 1
        self._stale = 0 if is_new else self._stale + 1
        for _ in range(FIRST_STEPS):
            await self._clock.sleep(0)
        if self._stale > 1:
            # Something between here and Telegram repeats a response; without a pause it would be stored without end.
            await self._clock.sleep(min(LONGEST_PAUSE_SECONDS, 0.5 * 2 ** min(self._stale, 10)))

    async def _skip(self, error: BadResponse) -> None:
        """Try again after a pause; then fetch one update at a time, and skip the one that can't be read."""
        self._bad += 1
        if self._limit > 1 and self._bad >= TRIES:
            self._limit, self._singles, self._bad = 1, BATCH, 0
        elif self._limit == 1 and self._bad >= SINGLE_TRIES and await self._quarantine(error):
            # Another one may follow, and would spoil the next batch. So one more update is fetched alone.
            self._singles, self._bad, self._failures = 1, 0, 0
            return
        await self._pause(CallFailure("unknown", error.reason, 0.0))

    async def _quarantine(self, error: BadResponse) -> bool:
        """Skip the update that can't be read; return False if it isn't known which one that is.

        An update without a readable id has the smallest one from the offset on, which is the offset itself, as a rule:
        ids increase by one (Bot API: Update). A higher offset confirms this one only. A page of a proxy is no update,
        and nothing may be confirmed because of it.
        """
        update_id = error.first_id
        if update_id is None and error.is_of_bot_api:
            update_id = self._offset
        if update_id is None:
            return False
        await self._take(Batch(unreadable=[Unreadable(update_id, error.reason)]))
        self._offset = update_id + 1
        return True

    async def _recover(self, error: Exception) -> None:
        """Wait after a transient error.

        Raises:
            TelegramRefused: the error is fatal.
        """
        fatal = fatal_error(error)
        if fatal is not None:
            raise fatal from error
        failure = classify(error)
        if failure.connection is not None or isinstance(error, TimeoutError):
            await self._rebuild()
        await self._pause(failure)

    async def _rebuild(self) -> None:
        """Open another connection for the next request: a dead one would fail again and again, or hang each time."""
        if isinstance(self._bot.session, BotSession):
            await self._bot.session.rebuild_polls()

    async def _pause(self, failure: CallFailure) -> None:
        self._failures += 1
        pause = failure.pause(self._failures - 1, LONGEST_PAUSE_SECONDS)
        self._outage.failed(failure, retry_in_seconds=pause)
        await self._health.failed(failure.reason)
        await self._clock.sleep(pause)


def _readable(entries: Sequence[Entry], limit: int) -> Batch:
    """Return the batch of a response to a request with this limit.

    Raises:
        BadResponse: it has entries, but none with an id.
    """
    batch = sort_out(entries, has_more=len(entries) >= limit)
    if not batch.is_empty and not batch.ids:
        raise BadResponse("no update has an id", is_of_bot_api=True)
    return batch
