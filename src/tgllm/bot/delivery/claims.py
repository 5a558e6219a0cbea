"""Claims of outbox rows: how many calls of each kind may be under way, and which chats have room for more."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tgllm.bot.telegram.limiter import Limiter
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import outbox_claims
from tgllm.db.tables.outbox import ANSWER, BACKGROUND, TIDY, OutboxRow, Priority

__all__ = ["Claim", "Claims", "Found", "is_background"]

PARALLEL_CALLS: Final = 64
"""Most concurrent calls; each holds a connection."""
PARALLEL_TIDYING: Final = 4
"""Most concurrent calls of reactions and the like; their own places, so that answers don't stop them for good."""
PARALLEL_BACKGROUND: Final = 12
"""Most concurrent calls of the background, which so can't take the places of answers."""
PARALLEL_IN_CHAT: Final = 4
"""Most concurrent calls of answers to one chat. Rate limits apply per chat: more calls would only wait for each other,
and the topics of one group could block all other chats."""

_PLACES: Final[Sequence[tuple[Sequence[Priority], int, int]]] = (
    ((ANSWER,), PARALLEL_CALLS - PARALLEL_TIDYING - PARALLEL_BACKGROUND, PARALLEL_IN_CHAT),
    ((TIDY,), PARALLEL_TIDYING, 1),
    (BACKGROUND, PARALLEL_BACKGROUND, 1),
)
"""Priorities that share places, the number of places, and the most of them for one chat."""

_POOLS: Final = {priority: place for place, (priorities, _, _) in enumerate(_PLACES) for priority in priorities}


@dataclass(frozen=True, slots=True)
class Found:
    """Result of a claim."""

    rows: Sequence[OutboxRow]
    """Claimed rows, to be sent now."""
    pending: bool
    """Whether any row waits to be sent, now or later."""
    due: int | None
    """When the next row is due, in UTC milliseconds; None if only an event can bring work."""
    background: bool
    """Whether rows of the background are due, and wait for the limiter."""


@dataclass(frozen=True, slots=True)
class _Pool:
    priorities: Sequence[Priority]
    free: int
    """Free places."""
    most: int
    """Most rows to claim; at most ``free``."""
    most_in_chat: int
    closed: frozenset[int]
    """Chats to which nothing is sent now; an event opens them."""
    busy: frozenset[int] = frozenset()
    """Chats whose room is for answers."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Unit of work that claims rows; it holds the state of the limiter and of the calls under way."""

    pools: Sequence[_Pool]
    now: int

    def __call__(self, conn: Connection) -> Found:
        """Claim rows, and find out when there will be others."""
        rows: list[OutboxRow] = []
        dues: list[int] = []
        background = False
        waiting = outbox_claims.waiting(conn)
        pending = any(not waiting.isdisjoint(pool.priorities) for pool in self.pools)
        for pool in self.pools:
            if waiting.isdisjoint(pool.priorities):
                continue
            found = outbox_claims.claim(
                conn,
                pool.most,
                self.now,
                priorities=pool.priorities,
                exclude_chats=pool.closed | pool.busy,
                most_in_chat=pool.most_in_chat,
            )
            rows += found
            # Without a free place, the end of a call is when to look again.
            if len(found) >= pool.free:
                continue
            due = outbox_claims.next_due(conn, self.now, priorities=pool.priorities, exclude_chats=pool.closed)
            if due is None:
                continue
            if pool.priorities is BACKGROUND and due <= self.now:
                background = True
            else:
                dues.append(due)
        return Found(rows, pending, min(dues, default=None), background)


class Claims:
    """Counts the calls under way, and prepares claims."""

    def __init__(self, limiter: Limiter) -> None:
        """Create the counts, without calls."""
        self._limiter = limiter
        self._under_way: Counter[int] = Counter()
        self._in_chats: tuple[Counter[int | None], ...] = tuple(Counter() for _ in _PLACES)
        self._leaves_background = False

    def leave_background(self) -> None:
        """Claim no further rows of the background."""
        self._leaves_background = True

    @property
    def under_way(self) -> bool:
        """Whether any call is under way."""
        return self._under_way.total() > 0

    def begin(self, row: OutboxRow) -> None:
        """Count the call of a claimed row."""
        pool = _POOLS[row.priority]
        self._under_way[pool] += 1
        self._in_chats[pool][row.chat_id] += 1
        if is_background(row):
            self._limiter.note_background(row.chat_id)

    def end(self, row: OutboxRow) -> None:
        """Forget the call of a row."""
        pool = _POOLS[row.priority]
        self._under_way[pool] -= 1
        in_chats = self._in_chats[pool]
        in_chats[row.chat_id] -= 1
        if not in_chats[row.chat_id]:
            del in_chats[row.chat_id]

    def prepare(self, now: int) -> Claim:
        """Return the unit that claims rows by the present state; ``now`` is UTC in milliseconds."""
        held = self._limiter.held_chats()
        pools: list[_Pool] = []
        for place, (priorities, places, most_in_chat) in enumerate(_PLACES):
            free = max(0, places - self._under_way[place])
            in_chats = self._in_chats[place]
            closed = held | _crowded(in_chats, most_in_chat) if in_chats else held
            if priorities is BACKGROUND:
                if self._leaves_background:
                    continue
                room = min(free, self._limiter.background_room())
                pools.append(_Pool(priorities, free, room, most_in_chat, closed, self._limiter.busy_chats()))
            else:
                pools.append(_Pool(priorities, free, free, most_in_chat, closed))
        return Claim(pools, now)


def _crowded(in_chats: "Counter[int | None]", most: int) -> frozenset[int]:
    """Return the chats with the most calls under way that are allowed."""
    return frozenset([chat for chat, calls in in_chats.items() if chat is not None and calls >= most])


def is_background(row: OutboxRow) -> bool:
    """Return whether a row belongs to the background."""
    return row.priority in BACKGROUND
