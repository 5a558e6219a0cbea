"""Tables ``replicas`` and ``leases``: the processes that use a database on a server, and which of them leads.

All times are in milliseconds of the database's clock (``clock``), since the clocks of several machines differ. Each
write transaction of a process begins with a change of its row (``tgllm.db.postgres.member``) and fails without it. So
a process whose row was removed can't store anything any more, whatever it still does, and its work may be done by
others from then on.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from tgllm.db.engine.rows import dumps, read_all
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection

__all__ = [
    "LEADER",
    "ReplicaRow",
    "View",
    "beat",
    "clock",
    "drain",
    "everyone",
    "expire",
    "join",
    "leader",
    "leave",
    "release_lead",
    "remove",
    "take_lead",
    "view",
]

LEADER: Final = "leader"
"""Name of the lease of the replica that does what only one may do, such as sending."""


@dataclass(frozen=True, slots=True)
class ReplicaRow:
    """A process; the fields are the columns of the table ``replicas``."""

    id: int
    name: str
    kind: Literal["bot", "shell"]
    state: Literal["ready", "draining"]
    started_at: int
    alive_until: int
    commits: int


@dataclass(frozen=True, slots=True)
class View:
    """What a replica sees of the others."""

    leader: int | None
    """The replica that leads."""
    fence: int
    """How often the leader has changed."""
    live: int
    """Number of replicas of the bot whose lease is valid."""
    overdue: Collection[int] = ()
    """Processes whose lease has ended."""


def clock(conn: Connection) -> int:
    """Return the time of the database's clock."""
    # Julian days; both engines have that function, and 2440587.5 is the beginning of 1970.
    row = conn.execute("SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS BIGINT)").fetchone()
    return int(row[0])


def join(conn: Connection, replica_id: int, name: str, now: int, until: int) -> None:
    """Add a replica of the bot whose lease is valid until a time, or change the row that the process has already."""
    conn.execute(
        "INSERT INTO replicas (id, name, kind, started_at, alive_until) VALUES (?, ?, 'bot', ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = 'bot', state = 'ready',"
        " started_at = excluded.started_at, alive_until = excluded.alive_until",
        (replica_id, name, now, until),
    )


def beat(conn: Connection, replica_id: int, until: int) -> bool:
    """Extend a lease; return False if the row was removed: the replica was given up."""
    cursor = conn.execute("UPDATE replicas SET alive_until = ? WHERE id = ?", (until, replica_id))
    return cursor.rowcount == 1


def drain(conn: Connection, replica_id: int) -> None:
    """Mark a replica that takes no further updates and does not lead again."""
    conn.execute("UPDATE replicas SET state = 'draining' WHERE id = ?", (replica_id,))


def expire(conn: Connection, replica_id: int) -> None:
    """End a lease at once, so that others recover the replica's work."""
    conn.execute("UPDATE replicas SET alive_until = 0 WHERE id = ?", (replica_id,))


def leave(conn: Connection, replica_id: int) -> None:
    """Remove a replica of which nothing is left to recover."""
    _forget(conn, replica_id)
    conn.execute("DELETE FROM replicas WHERE id = ?", (replica_id,))


def remove(conn: Connection, replica_id: int, now: int) -> ReplicaRow | None:
    """Remove a process whose lease has ended; the caller recovers its work in the same transaction.

    Returns:
        Its row; None if its lease is valid again, or others have removed it.
    """
    cursor = conn.execute("DELETE FROM replicas WHERE id = ? AND alive_until < ? RETURNING *", (replica_id, now))
    removed = read_all(ReplicaRow, cursor)
    if not removed:
        return None
    _forget(conn, replica_id)
    return removed[0]


def _forget(conn: Connection, replica_id: int) -> None:
    """Free what a process holds beside updates, in the transaction that removes its row."""
    release_lead(conn, replica_id)
    conn.execute("DELETE FROM budget_reservations WHERE holder = ?", (replica_id,))
    conn.execute("DELETE FROM turn_orders WHERE holder = ?", (replica_id,))
    # What only it could start can be started by any other now, without the content, which was in its memory.
    conn.execute("UPDATE inbox SET holder = NULL WHERE state = 'queued' AND holder = ?", (replica_id,))


_TAKE_LEAD: Final = """
    INSERT INTO leases (name, holder, fence, until) VALUES (:name, :me, 1, :until)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until,
        fence = leases.fence + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END
    WHERE leases.holder IS NULL OR leases.holder = excluded.holder
    RETURNING fence
"""


def take_lead(conn: Connection, me: int, until: int) -> int | None:
    """Become the leader if there is none, or extend the lease of the leader.

    A leader stays one until it leaves or its row is removed, however late it is: as long as its row is there, it may
    store what it does. So there are never two whose work is accepted.

    Args:
        conn: a write transaction, which makes sure that the row of ``me`` is there until the commit.
        me: the replica.
        until: end of the lease, for those who look at it.

    Returns:
        The fencing number, which grows with each change of the leader; None if another replica leads.
    """
    row = conn.execute(_TAKE_LEAD, {"name": LEADER, "me": me, "until": until}).fetchone()
    return None if row is None else int(row[0])


def release_lead(conn: Connection, me: int) -> None:
    """Let another replica lead; without effect if ``me`` does not."""
    released = conn.execute("UPDATE leases SET holder = NULL, until = 0 WHERE name = ? AND holder = ?", (LEADER, me))
    if released.rowcount:
        signal(conn, "leader")


def leader(conn: Connection) -> int | None:
    """Return the replica that leads; None if none does."""
    row = conn.execute("SELECT holder FROM leases WHERE name = ?", (LEADER,)).fetchone()
    return None if row is None else row[0]


_VIEW: Final = """
    SELECT holder, fence, (SELECT count(*) FROM replicas WHERE kind = 'bot' AND alive_until >= :now)
    FROM (SELECT 1 AS one) AS always LEFT JOIN leases ON name = :name
"""


def view(conn: Connection, now: int) -> View:
    """Return what there is at a time."""
    holder, fence, live = conn.execute(_VIEW, {"name": LEADER, "now": now}).fetchone()
    late = conn.execute("SELECT id FROM replicas WHERE alive_until < ? ORDER BY id", (now,))
    return View(holder, fence or 0, live, tuple(int(row[0]) for row in late))


def everyone(conn: Connection, now: int, *, but: Collection[int] = ()) -> list[ReplicaRow]:
    """Return the replicas of the bot whose lease is valid at a time, by their age; without those of ``but``."""
    cursor = conn.execute(
        "SELECT * FROM replicas WHERE kind = 'bot' AND alive_until >= ?"
        " AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY started_at, id",
        (now, dumps([*but])),
    )
    return read_all(ReplicaRow, cursor)
