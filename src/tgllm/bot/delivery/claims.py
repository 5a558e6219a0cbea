"""Claims of outbox rows: how many calls of each kind may be under way, and which chats have room for more."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tgllm.bot.delivery.files import upload_size
from tgllm.bot.telegram.limiter import LARGE_UPLOAD, Limiter, Room
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

SHORTEST_PAUSE_SECONDS: Final = 0.02
"""Shortest wait for room."""

_PLACES: Final[Sequence[tuple[Sequence[Priority], int, int]]] = (
    # First, since it gets only what answers leave over, and a small part of its own.
    (BACKGROUND, PARALLEL_BACKGROUND, 1),
    ((ANSWER,), PARALLEL_CALLS - PARALLEL_TIDYING - PARALLEL_BACKGROUND, PARALLEL_IN_CHAT),
    ((TIDY,), PARALLEL_TIDYING, 1),
)
"""Priorities that share places, the number of places, and the most of them for one chat."""

_POOLS: Final = {priority: place for place, (priorities, _, _) in enumerate(_PLACES) for priority in priorities}


@dataclass(frozen=True, slots=True)
class Found:
    """Result of a claim."""

    rows: Sequence[OutboxRow] = ()
    """Claimed rows, to be sent now."""
    due: int | None = None
    """When the next row is due, in UTC milliseconds; None if only an event can bring work."""
    waits: bool = False
    """Whether rows are due, and wait until the limiter has room for any call."""
    background: bool = False
    """Whether rows of the background are due, and wait until the limiter has room for one."""
    waiting_chats: Collection[int] = frozenset()
    """Chats whose rows are due, and wait until the limiter has room in the chat."""
    pending: bool = False
    """Whether any row waits to be sent, now or later."""
    large: Collection[int] = frozenset()
    """Ids of claimed rows that upload large files."""


@dataclass(frozen=True, slots=True)
class _Pool:
    priorities: Sequence[Priority]
    free: int
    """Free places."""
    most: int
    """Most rows to claim; at most ``free``."""
    most_in_chat: int
    in_chats: Mapping[int | None, int]
    """Calls under way to each chat."""
    crowded: frozenset[int]
    """Chats with the most calls under way that are allowed; the end of one of them opens the chat."""
    busy: frozenset[int] = frozenset()
    """Chats whose room is for answers."""


class Claim:
    """Unit of work that claims rows; it holds the state of the limiter and of the calls under way."""

    def __init__(self, pools: Sequence[_Pool], room: Room, now: int) -> None:
        """Create the unit; ``now`` is UTC in milliseconds."""
        self._pools = pools
        self._room = room
        self._now = now

    def __call__(self, conn: Connection) -> Found:
        """Claim rows, and find out when there will be others."""
        found = self._claim_all(conn)
        # Here, since the size of a file is read from the disk.
        large = [row.id for row in found.rows if upload_size(row.payload) > LARGE_UPLOAD]
        return replace(found, large=large) if large else found

    def _claim_all(self, conn: Connection) -> Found:
        waiting = outbox_claims.waiting(conn)
        left, rooms = self._room.overall, dict(self._room.chats)
        found: list[Found] = []
        for pool in self._pools:
            if waiting.isdisjoint(pool.priorities):
                continue
            claimed = self._claim_of(conn, pool, min(pool.most, left), rooms)
            left -= len(claimed.rows)
            for row in claimed.rows:
                if row.chat_id is not None:
                    rooms[row.chat_id] = rooms.get(row.chat_id, self._room.in_other_chat) - 1
            found.append(claimed)
        if len(found) > 1:
            return _together(found)
        return found[0] if found else Found()

    def _claim_of(self, conn: Connection, pool: _Pool, most: int, rooms: Mapping[int, int]) -> Found:
        passed: set[int] = set()
        rows = outbox_claims.claim(
            conn,
            most,
            self._now,
            priorities=pool.priorities,
            most_in_chat=min(pool.most_in_chat, self._room.in_other_chat),
            rooms={**rooms, **dict.fromkeys(pool.crowded | pool.busy, 0)},
            passed=passed,
        )
        if len(rows) >= pool.free:
            # The end of a call is when to look again.
            return Found(rows, pending=True)
        if len(rows) == most:
            # There may be more for which the limiter has no room.
            due = self._next_due(conn, pool, pool.crowded)
            waits = due is not None and due <= self._now
            is_background = pool.priorities is BACKGROUND
            due, waits_for_any = None if waits else due, waits and not is_background
            return Found(rows, due, waits_for_any, waits and is_background, pending=True)
        # Every stream that is due was looked at. What was passed over waits for its chat.
        if not passed:
            return Found(rows, self._next_due(conn, pool, pool.crowded), pending=True)
        under_way = Counter(pool.in_chats)
        under_way.update(row.chat_id for row in rows)
        limited = {chat_id for chat_id in passed if under_way[chat_id] < pool.most_in_chat}
        due = self._next_due(conn, pool, pool.crowded | passed)
        is_background = not limited.isdisjoint(pool.busy)
        return Found(rows, due, background=is_background, waiting_chats=limited - pool.busy, pending=True)

    def _next_due(self, conn: Connection, pool: _Pool, but_chats: Collection[int]) -> int | None:
        if outbox_claims.waiting(conn).isdisjoint(pool.priorities):
            # Most often all that was there is claimed, and one query tells.
            return None
        return outbox_claims.next_due(conn, self._now, priorities=pool.priorities, exclude_chats=but_chats)


def _together(found: Sequence[Found]) -> Found:
    """Return what was found for several pools, in each of which rows wait."""
    return Found(
        [row for each in found for row in each.rows],
        min((each.due for each in found if each.due is not None), default=None),
        any(each.waits for each in found),
        any(each.background for each in found),
        {chat_id for each in found for chat_id in each.waiting_chats},
        pending=True,
    )


class Claims:
    """Counts the calls under way, and prepares claims."""

    def __init__(self, limiter: Limiter) -> None:
        """Create the counts, without calls."""
        self._limiter = limiter
        self._under_way: Counter[int] = Counter()
        self._in_chats: tuple[Counter[int | None], ...] = tuple(Counter() for _ in _PLACES)
        self._leaves_background = False
        self._paid_uploads: set[int] = set()
        """Rows of large uploads that have their room, and are due when it is there."""

    def leave_background(self) -> None:
        """Claim no further rows of the background."""
        self._leaves_background = True

    @property
    def under_way(self) -> bool:
        """Whether any call is under way."""
        return self._under_way.total() > 0

    def begin(self, row: OutboxRow, *, is_large: bool = False) -> float | None:
        """Count the call of a claimed row, and reserve its room.

        Args:
            row: the row.
            is_large: whether it uploads a large file.

        Returns:
            None if the call may be made now; otherwise the seconds after which the row may be claimed again.
        """
        wait = self._upload_wait(row) if is_large else 0.0
        if wait > 0:
            return wait
        # Previews may have used the room since the claim was prepared.
        if row.chat_id is not None and not self._limiter.reserve(row.chat_id, in_background=is_background(row)):
            return 0.0
        pool = _POOLS[row.priority]
        self._under_way[pool] += 1
        self._in_chats[pool][row.chat_id] += 1
        self._paid_uploads.discard(row.id)
        return None

    def _upload_wait(self, row: OutboxRow) -> float:
        if row.id in self._paid_uploads:
            return 0.0
        self._paid_uploads.add(row.id)
        return self._limiter.reserve_upload()

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
        pools: list[_Pool] = []
        for place, (priorities, places, most_in_chat) in enumerate(_PLACES):
            free = max(0, places - self._under_way[place])
            in_chats = self._in_chats[place].copy()
            crowded = _crowded(in_chats, most_in_chat) if in_chats else frozenset[int]()
            if priorities is not BACKGROUND:
                pools.append(_Pool(priorities, free, free, most_in_chat, in_chats, crowded))
            elif not self._leaves_background:
                room, busy = min(free, self._limiter.background_room()), self._limiter.busy_chats()
                pools.append(_Pool(priorities, free, room, most_in_chat, in_chats, crowded, busy))
        return Claim(pools, self._limiter.room(), now)

    def pause(self, found: Found, now: float) -> float | None:
        """Return the seconds until a row is due or may be sent; None if only an event can bring work.

        Args:
            found: result of the last claim.
            now: UTC in seconds.
        """
        waits = [] if found.due is None else [max(0.0, found.due / 1000 - now)]
        if found.waits:
            waits.append(max(SHORTEST_PAUSE_SECONDS, self._limiter.next_room()))
        if found.waiting_chats:
            waits.append(max(SHORTEST_PAUSE_SECONDS, self._limiter.next_room(found.waiting_chats)))
        if found.background:
            waits.append(max(SHORTEST_PAUSE_SECONDS, self._limiter.background_wait()))
        return min(waits, default=None)


def _crowded(in_chats: "Counter[int | None]", most: int) -> frozenset[int]:
    """Return the chats with the most calls under way that are allowed."""
    return frozenset([chat for chat, calls in in_chats.items() if chat is not None and calls >= most])


def is_background(row: OutboxRow) -> bool:
    """Return whether a row belongs to the background."""
    return row.priority in BACKGROUND
