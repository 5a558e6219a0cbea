"""Stores for shell commands, and reports to the service manager, whether the poller receives updates."""

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.observe.metrics.table import POLL_TIME
from tgllm.observe.service_manager import service_manager
from tgllm.services.common.reception import note_failing, note_receiving

__all__ = ["Health"]


class Health:
    """Health of the poller: a write at each new reason of an episode of failures, and at its end."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._since = 0
        self._reason = ""
        self._is_fine: bool | None = None
        """None at the start, when an earlier run may have left an episode."""
        self._fine_at: float | None = None

    def seconds_since_fine(self) -> float | None:
        """Return the seconds since the last successful request; None before the first one."""
        return None if self._fine_at is None else self._clock.monotonic() - self._fine_at

    async def storable(self) -> None:
        """Wait until updates can be stored: those that are not fetched are kept by Telegram."""
        await self._database.gate.wait_open()

    async def failed(self, reason: str) -> None:
        """Note that a request has failed.

        Raises:
            DatabaseError: it can't be stored.
        """
        is_new = self._is_fine is not False
        if is_new:
            self._since = milliseconds(self._clock)
        if is_new or reason != self._reason:
            since, self._reason = self._since, reason
            await self._database.write(lambda conn: note_failing(conn, since, reason), durable=False)
            service_manager().ready(f"waiting for Telegram: {reason}")
            self._is_fine = False

    async def fine(self) -> None:
        """Note that a request has succeeded.

        Raises:
            DatabaseError: it can't be stored.
        """
        self._fine_at = self._clock.monotonic()
        POLL_TIME.set(self._clock.now())
        if not self._is_fine:
            await self._database.write(note_receiving, durable=False)
            service_manager().ready("receiving messages")
            self._is_fine = True
