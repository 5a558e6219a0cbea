"""Periodic upkeep of access: ends expired access, counts requests without cards, and scrubs sent invite links."""

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import traces
from tgllm.db.tables import users
from tgllm.db.tables.outbox import NOTICE
from tgllm.i18n import Catalogue
from tgllm.services.access.access_requests import expire
from tgllm.services.access.lost_access import LostAccess
from tgllm.services.access.service import Access
from tgllm.services.messaging.people import language_of, tell
from tgllm.services.turns.running import RunningTurns

__all__ = ["AccessUpkeep"]

CHECK_SECONDS = 30.0


class AccessUpkeep:
    """Background task that checks every half minute, and writes only if something is due."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        texts: Catalogue,
        access: Access,
        running: RunningTurns,
    ) -> None:
        self._database = database
        self._clock = clock
        self._texts = texts
        self._access = access
        # It checks the access in each turn's chat: in an approved group, a person with expired access may go on.
        self._lost_access = LostAccess(database, running, clock)

    async def run(self) -> None:
        """Check until cancelled.

        Raises:
            DatabaseError: the database can't be used.
        """
        while True:
            await self.look()
            await self._clock.sleep(CHECK_SECONDS)

    async def look(self) -> None:
        """Check once, and do what is due."""
        now = milliseconds(self._clock)
        if await self._database.read(lambda conn: self._is_due(conn, now)):
            await self._database.write(lambda conn: self._catch_up(conn, now))
        # Also if nothing is due: a new request of the person may have recorded the expiry before.
        await self._lost_access.stop_turns()

    def _is_due(self, conn: Connection, now: int) -> bool:
        bundle = self._access.cards.bundle
        return bundle.is_due(conn, now) or users.has_expired(conn, now) or traces.has_sent_link(conn)

    def _catch_up(self, conn: Connection, now: int) -> None:
        for user in expire(conn, now):
            tell(conn, user.id, self._texts("access.told_expired", language_of(conn, user)), now, NOTICE)
        traces.scrub_sent_links(conn)
        if self._access.cards.bundle.is_due(conn, now):
            self._access.cards.bundle.update(conn, now)
