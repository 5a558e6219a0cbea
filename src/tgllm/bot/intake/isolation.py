"""Isolation of suspects: updates that were running in two crashes of the program run alone, until the guilty is found.

A crash says nothing about which of the running updates has caused it, if any: most often somebody has killed the
process. So nothing is held against an update that was running in one crash. After a second one it is a suspect, and
runs alone. If it ends, it is innocent. If the program crashes again, that is a strike against it, and with several of
them in succession it is given up.

An outside kill can't be told from a crash, but it also comes while the suspect doesn't run. So a suspect with strikes
waits for some seconds after each start, longer with each strike, while others are answered. If the program is killed
within that time, the cause is something else, and all its strikes are taken back.

Nobody else is answered while a suspect runs, so its isolation has an end, and those that waited start before the next
suspect. The time doubles with each crash, so that an update that crashes the program late is found as well.

Where several replicas share the updates, each isolates the suspects that it runs: a crash ends one of them only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tgllm.api.clock import Clock
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import inbox_claims
from tgllm.db.queries.shared import claims as shared_claims
from tgllm.db.queries.shared.claims import Places
from tgllm.db.tables.inbox import InboxRow

__all__ = ["Isolation", "Permit", "Selected"]

ALONE_SECONDS: Final = 15.0
"""Isolation of an update after two crashes."""
HOLD_SECONDS: Final = 5.0
"""Time after the start of the program before an update with one strike starts."""
_MOST_DOUBLINGS: Final = 8


@dataclass(frozen=True, slots=True)
class Selected:
    """Updates that were claimed."""

    rows: Sequence[InboxRow]
    alone: InboxRow | None = None
    """One of them that must run alone."""
    suspects: Sequence[InboxRow] = ()
    """The suspects that waited before."""


@dataclass(frozen=True, slots=True)
class Permit:
    """What may start now; used on the database's thread."""

    free: int
    """Free places."""
    strangers: int
    """Free places for people without access."""
    most_in_chat: int | None
    """Most lanes of one chat that run at once; None for no maximum."""
    uptime: float | None
    """Seconds since the start; None if there are no suspects."""
    is_idle: bool
    """Whether nothing runs that a suspect must not run beside."""
    is_closed: bool
    """Whether a suspect runs alone."""
    is_turn_of_others: bool = False
    """Whether a suspect has run alone and the others that waited meanwhile may start before the next one."""
    holder: int | None = None
    """Number of this replica; None where there is one process only."""

    def claim(self, conn: Connection, now: int, most_attempts: int) -> Selected:
        """Claim updates in an open write transaction."""
        if self.uptime is None:
            return Selected(self._claim(conn, now, most_attempts, self.free, self.strangers))
        waiting = inbox_claims.suspects(conn) if self.holder is None else shared_claims.suspects(conn)
        due = [row for row in waiting if self.uptime >= _hold(row)]
        is_open = not self.is_closed and (self.is_turn_of_others or not due)
        free, strangers = (self.free, self.strangers) if is_open else (0, 0)
        rows = self._claim(conn, now, most_attempts, free, strangers, but_suspects=True)
        have_begun = is_open and any(not row.control for row in rows)
        if not due or self.is_closed or have_begun or not self.is_idle or not self.free:
            return Selected(rows, suspects=waiting)
        alone = self._claim_suspect(conn, due[0].update_id, now)
        return Selected(rows if alone is None else [*rows, alone], alone, waiting)

    def _claim_suspect(self, conn: Connection, update_id: int, now: int) -> InboxRow | None:
        if self.holder is None:
            return inbox_claims.claim_suspect(conn, update_id, now)
        return shared_claims.claim_suspect(conn, self.holder, update_id, now)

    def _claim(
        self,
        conn: Connection,
        now: int,
        most_attempts: int,
        free: int,
        strangers: int,
        *,
        but_suspects: bool = False,
    ) -> list[InboxRow]:
        if self.holder is not None:
            places = Places(free, strangers, self.most_in_chat)
            return shared_claims.claim(conn, self.holder, places, now, max_attempts=most_attempts)
        return inbox_claims.claim(
            conn,
            free,
            now,
            max_attempts=most_attempts,
            most_strangers=strangers,
            most_in_chat=self.most_in_chat,
            but_suspects=but_suspects,
        )


class Isolation:
    """Keeps account of the suspects that wait and run; used on the event loop."""

    def __init__(self, clock: Clock, holder: int | None = None) -> None:
        """Create it, before the first claim.

        Args:
            clock: source of time.
            holder: number of this replica; None where there is one process only.
        """
        self._clock = clock
        self._holder = holder
        self._began: float | None = None
        self._uptime = 0.0
        """Seconds since the start at the latest claim, which starts the suspects that are due by then."""
        self._suspects: Sequence[InboxRow] | None = None
        """Those that waited at the latest claim; None before the first one. Only a crash makes new ones: one of this
        process, or of another replica at any time."""
        self._alone: InboxRow | None = None
        self._alone_until = 0.0
        self._turn_of_others = False
        """Whether those that waited for a suspect start before the next one, so that they wait for one only."""
        self._released: set[int] = set()
        """Running suspects whose isolation has ended."""

    def permit(self, free: int, strangers: int, running: int, most_in_chat: int | None = None) -> Permit:
        """Return what may start now.

        Args:
            free: free places.
            strangers: free places for people without access.
            running: updates that run, without control updates of people with access.
            most_in_chat: most lanes of one chat that run at once; None for no maximum.
        """
        now = self._clock.monotonic()
        if self._began is None:
            self._began = now
        if self._alone is not None and now >= self._alone_until:
            self._released.add(self._alone.update_id)
            self._alone, self._turn_of_others = None, True
        may_have = self._suspects is None or self._holder is not None
        has_suspects = may_have or bool(self._suspects) or self._alone is not None
        uptime = now - self._began if has_suspects else None
        self._uptime = now - self._began
        return Permit(
            free,
            strangers,
            most_in_chat,
            uptime,
            running <= len(self._released),
            self._alone is not None,
            self._turn_of_others,
            self._holder,
        )

    def begun(self, selected: Selected) -> None:
        """Note what was claimed."""
        alone = selected.alone
        self._suspects = [row for row in selected.suspects if alone is None or row.update_id != alone.update_id]
        if any(not row.control for row in selected.rows):
            self._turn_of_others = False
        if alone is not None:
            self._alone = alone
            doublings = min(alone.crashes - 2, _MOST_DOUBLINGS)
            self._alone_until = self._clock.monotonic() + ALONE_SECONDS * 2**doublings

    def ended(self, update_id: int) -> None:
        """Note that an update has ended."""
        self._released.discard(update_id)
        if self._alone is not None and self._alone.update_id == update_id:
            self._alone, self._turn_of_others = None, True

    def next_look(self) -> float | None:
        """Return the seconds until more may start though no update has ended; None if nothing waits for a time."""
        now = self._clock.monotonic()
        if self._alone is not None:
            return max(0.0, self._alone_until - now)
        uptime = 0.0 if self._began is None else now - self._began
        # Only another claim starts what has become due since the latest one, however little time has passed.
        held = (_hold(row) for row in self._suspects or () if _hold(row) > self._uptime)
        return min((max(0.0, hold - uptime) for hold in held), default=None)


def _hold(row: InboxRow) -> float:
    """Return the seconds after the start of the program before a suspect starts."""
    return HOLD_SECONDS * 2 ** min(row.strikes - 1, _MOST_DOUBLINGS) if row.strikes else 0.0
