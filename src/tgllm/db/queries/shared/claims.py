"""Claims where several replicas take updates from one queue: which of them this one may start, and their start.

Only for PostgreSQL. A claim runs at READ COMMITTED: each statement has a snapshot of its own and sees what others have
committed before it. What others can do meanwhile, and why each statement holds by itself:

- Two replicas want the head of the same lane. Both find it; the second one passes over it, since the first one has
  locked it, or sees that it is no longer queued, since PostgreSQL looks at a locked row again.
- An older update of the lane arrives after a claim has found its head. Both are heads now. A replica may start the
  older one while this one starts the younger one: the unique index ``inbox_running`` refuses the second, and its claim
  runs again as a whole, and then sees that the lane is taken. Which of the two is first can't be helped: the older one
  was not there when the younger one was found. The other one starts when the first has ended.
- The lane's running update ends after a claim has looked: the lane is left out. The replica that has ended it looks
  again itself, and the others when they see its commit.
- The update that is first in a lane is not always the head by which the lane was found (a stranger's may be before it),
  and that one is not locked. It is started only if it is still queued; the lane is left out otherwise.
- An edit, a stop or an erasure changes a queued row in a SERIALIZABLE transaction: that one locks the row, and the
  claim passes over it; or the claim was first, and the other transaction fails and runs again with what it sees then.
- An update is stored behind another one (``behind`` = 1) while that one is claimed: the trigger that makes it the head
  would not see it, and it would wait for good. So the transaction that stores it locks the heads of its lanes
  (``hold_heads``): the claim passes over them, or the other transaction runs again.
- Something is passed over that its locker then does not start: the locker's commit is seen by the others within a
  second, and they look again.
- The process ends between the claim and its commit: nothing is claimed. After it: the recovery of its number queues
  the updates again.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tgllm.db.engine.rows import dumps, read, read_all
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.inbox_claims import FREE, FREE_UNSUSPECTED, SUSPECTS, chat_of
from tgllm.db.tables.inbox import InboxRow, NewUpdate

__all__ = ["Places", "arrived", "claim", "claim_suspect", "hold_heads", "may_claim", "suspects"]


@dataclass(frozen=True, slots=True)
class Places:
    """What a replica may start."""

    lanes: int
    """Most lanes; control updates don't count."""
    strangers: int
    """Most updates of people without access, control updates included."""
    in_chat: int | None
    """Most lanes of one chat that this replica runs at once; None for no maximum."""


# A queued update with a holder has its content in the memory of that replica only; see ``inbox.keep_for``.
_MINE: Final = "AND (head.holder IS NULL OR head.holder = :holder)"
_LOCK: Final = "FOR UPDATE OF head SKIP LOCKED"
_WHERE: Final = "WHERE head.state = 'queued' AND head.control = 0"


def _mine(query: str) -> str:
    return query.replace(_WHERE, f"{_WHERE} {_MINE}", 1)


_ANY_HEAD: Final = _mine(FREE)
_HEADS: Final = f"{_mine(FREE_UNSUSPECTED)} {_LOCK}"
# What a press or a stop needs is in the memory of the replica that runs the lane's turn.
_ANY_CONTROL: Final = """
    SELECT head.update_id FROM inbox AS head
    WHERE head.state = 'queued' AND head.control = 1 AND head.stranger = :stranger AND head.strikes < :max_attempts
        AND (head.holder IS NULL OR head.holder = :holder)
        AND NOT EXISTS (
            SELECT 1 FROM inbox AS busy
            WHERE busy.lane = head.lane AND busy.state = 'running' AND busy.control = 0 AND busy.holder <> :holder
        )
    ORDER BY head.update_id
    LIMIT :limit
"""
_CONTROL: Final = f"{_ANY_CONTROL} {_LOCK}"
_START: Final = """
    UPDATE inbox SET state = 'running', attempts = attempts + 1, asked = 0, started_at = :now, holder = :holder
    WHERE update_id = :id AND state = 'queued' AND (holder IS NULL OR holder = :holder) RETURNING *
"""
_LOCKED_SUSPECTS: Final = f"{SUSPECTS} FOR UPDATE OF suspect SKIP LOCKED"


def claim(conn: Connection, holder: int, places: Places, now: int, *, max_attempts: int) -> list[InboxRow]:
    """Start what ``inbox_claims.claim`` would, as far as it is left for this replica; no suspects.

    Args:
        conn: a transaction of the mode ``claim``.
        holder: number of the replica.
        places: what it may start.
        now: UTC in milliseconds.
        max_attempts: updates that have crashed the program this often are skipped.

    Raises:
        sqlite3.IntegrityError: another replica has started an update of a lane; the transaction runs again.
    """
    common = {"holder": holder, "max_attempts": max_attempts, "full": "[]"}

    def controls(most: int | None, *, stranger: int) -> list[InboxRow]:
        found = conn.execute(_CONTROL, {**common, "limit": most, "stranger": stranger}).fetchall()
        return _start(conn, [row[0] for row in found], holder, now)

    started = controls(None, stranger=0)
    if places.lanes > 0:
        started += _shared_out(conn, places, {**common, "stranger": 0}, now)
    if places.strangers > 0:
        strangers = controls(places.strangers, stranger=1)
        left = places.strangers - len(strangers)
        if left > 0:
            found = conn.execute(_HEADS, {**common, "limit": left, "stranger": 1}).fetchall()
            strangers += _start(conn, [row[0] for row in found], holder, now)
        started += strangers
    return started


def _shared_out(conn: Connection, places: Places, values: dict[str, object], now: int) -> list[InboxRow]:
    """Start the first updates of free lanes; of each chat only as many as have places."""
    holder, most = int(str(values["holder"])), places.in_chat
    taken: Counter[str] = Counter()
    if most is not None:
        running = "SELECT lane FROM inbox WHERE state = 'running' AND control = 0 AND holder = ?"
        taken.update(chat_of(lane) for (lane,) in conn.execute(running, (holder,)))
    started: list[InboxRow] = []
    while (left := places.lanes - len(started)) > 0:
        full = [] if most is None else [f"{chat}:" for chat, count in taken.items() if count >= most]
        found = conn.execute(_HEADS, {**values, "full": dumps(full), "limit": left}).fetchall()
        chosen: list[int] = []
        for update_id, lane in found:
            if most is None or taken[chat_of(lane)] < most:
                taken[chat_of(lane)] += 1
                chosen.append(update_id)
        started += _start(conn, chosen, holder, now)
        if len(found) < left or len(chosen) == len(found):
            break
    return started


def _start(conn: Connection, ids: Iterable[int | None], holder: int, now: int) -> list[InboxRow]:
    """Start updates; those that are not queued any more are left out."""
    rows = (
        conn.execute(_START, {"now": now, "holder": holder, "id": each}).fetchone()
        for each in ids
        # None: all updates of a lane have crashed the program too often.
        if each is not None
    )
    return [read(InboxRow, row) for row in rows if row is not None]


def suspects(conn: Connection) -> list[InboxRow]:
    """Return the suspects of ``inbox_claims.suspects`` that no other replica is about to start."""
    return read_all(InboxRow, conn.execute(_LOCKED_SUSPECTS))


def claim_suspect(conn: Connection, holder: int, update_id: int, now: int) -> InboxRow | None:
    """Start one of ``suspects``, in the same transaction; None if its lane has got another head meanwhile."""
    return next(iter(_start(conn, [update_id], holder, now)), None)


def may_claim(conn: Connection, holder: int, places: Places, *, max_attempts: int) -> bool:
    """Return whether a claim may find anything; on a connection for reading.

    So that a replica which looks often, because others have written, does not write each time itself.
    """
    values = {"holder": holder, "max_attempts": max_attempts, "full": "[]", "limit": 1}

    def finds(query: str, stranger: int) -> bool:
        return conn.execute(query, {**values, "stranger": stranger}).fetchone() is not None

    return (
        finds(_ANY_CONTROL, 0)
        or (places.lanes > 0 and finds(_ANY_HEAD, 0))
        or (places.strangers > 0 and (finds(_ANY_CONTROL, 1) or finds(_ANY_HEAD, 1)))
    )


_HOLD_HEADS: Final = """
    SELECT head.update_id FROM inbox AS head
    WHERE head.state = 'queued' AND head.control = 0 AND head.behind = 0
        AND head.lane IN (SELECT value FROM json_each(:lanes))
    FOR SHARE OF head
"""
_ELSEWHERE: Final = """
    SELECT EXISTS (
        SELECT 1 FROM inbox AS busy WHERE busy.lane IN (SELECT value FROM json_each(:lanes))
            AND busy.state = 'running' AND busy.control = 0 AND busy.holder <> :holder
    )
"""


def hold_heads(conn: Connection, lanes: Iterable[str]) -> None:
    """Keep the first updates of lanes in the queue until the transaction that stores others behind them has ended."""
    conn.execute(_HOLD_HEADS, {"lanes": dumps(sorted(set(lanes)))}).fetchall()


def arrived(conn: Connection, holder: int, updates: Iterable[NewUpdate], *, has_place: bool) -> None:
    """Do what belongs to the storing of new updates: keep their order, and wake the replica that has to start them.

    Args:
        conn: the SERIALIZABLE transaction that stores them.
        holder: number of this replica.
        updates: the new updates.
        has_place: whether this replica has a free place.
    """
    lanes = sorted({update.lane for update in updates})
    if not lanes:
        return
    hold_heads(conn, lanes)
    runs_elsewhere = conn.execute(_ELSEWHERE, {"lanes": dumps(lanes), "holder": holder}).fetchone()[0]
    if runs_elsewhere or not has_place:
        signal(conn, "inbox")
