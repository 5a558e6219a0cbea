"""Claims of updates: which of those that are queued may start, and their start."""

from collections import Counter

from tgllm.db.engine.rows import dumps, read, read_all
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.inbox import InboxRow

__all__ = ["FREE", "FREE_UNSUSPECTED", "SUSPECTS", "chat_of", "claim", "claim_suspect", "suspects"]

# Ids are selected first and started one by one: a single UPDATE with these queries as subqueries materialises each of
# them in a temporary table, which is several times slower.
#
# The first update of each lane where none is running. They are read from an index until enough are found, so updates
# that wait for their lane cost nothing: of those only a few are in the index (see ``behind``). A lane in which somebody
# with access waits is found by their update, though it starts with the one of a stranger that is before it. Only lanes
# of chats that have no place left are read in vain.
FREE = """
    SELECT (
        SELECT min(first.update_id) FROM inbox AS first
        WHERE first.lane = head.lane AND first.state = 'queued' AND first.control = 0
            AND first.strikes < :max_attempts
    ), head.lane
    FROM inbox AS head INDEXED BY inbox_first
    WHERE head.state = 'queued' AND head.control = 0 AND head.behind = 0 AND head.stranger = :stranger
        AND NOT EXISTS (SELECT 1 FROM json_each(:full) AS chat WHERE instr(head.lane, chat.value) = 1)
        AND NOT EXISTS (
            SELECT 1 FROM inbox AS busy WHERE busy.lane = head.lane AND busy.state = 'running' AND busy.control = 0
        )
        AND NOT EXISTS (
            SELECT 1 FROM inbox AS earlier
            WHERE earlier.lane = head.lane AND earlier.state = 'queued' AND earlier.control = 0
                AND earlier.stranger = head.stranger AND earlier.update_id < head.update_id
        )
        AND (head.stranger = 0 OR NOT EXISTS (
            SELECT 1 FROM inbox AS other
            WHERE other.lane = head.lane AND other.state = 'queued' AND other.control = 0 AND other.stranger = 0
        ))
    ORDER BY head.update_id
    LIMIT :limit
"""
_CONTROL = """
    SELECT update_id FROM inbox
    WHERE state = 'queued' AND control = 1 AND stranger = :stranger AND strikes < :max_attempts
    ORDER BY update_id
    LIMIT :limit
"""
_START = """
    UPDATE inbox SET state = 'running', attempts = attempts + 1, asked = 0, started_at = ?
    WHERE update_id = ? RETURNING *
"""
FREE_UNSUSPECTED = FREE.replace(
    "ORDER BY",
    """AND (
            SELECT first.crashes FROM inbox AS first
            WHERE first.lane = head.lane AND first.state = 'queued' AND first.control = 0
            ORDER BY first.update_id LIMIT 1
        ) < 2
    ORDER BY""",
)
_NO_LIMIT = -1
"""SQLite: a negative LIMIT is none."""


def claim(
    conn: Connection,
    limit: int,
    now: int,
    *,
    max_attempts: int,
    most_strangers: int = 0,
    most_in_chat: int | None = None,
    but_suspects: bool = False,
) -> list[InboxRow]:
    """Start the oldest queued update of each lane that has none running, and all control updates.

    Updates of people without access have places of their own, so that they don't hold up those of others.

    Args:
        conn: an open write transaction.
        limit: maximum number of lanes; control updates don't count, so with 0 only those are started.
        now: UTC in milliseconds.
        max_attempts: updates that have crashed the program this often are skipped.
        most_strangers: maximum number of updates of people without access, control updates included.
        most_in_chat: maximum number of lanes of one chat that run at once, so that the topics of one chat can't take
            all places; None for no maximum.
        but_suspects: whether to skip lanes whose next update is a suspect.

    Returns:
        The started updates: control updates first, then by id, and then those of people without access.
    """

    def ids(query: str, most: int, *, stranger: bool) -> list[int]:
        values = {"limit": most, "max_attempts": max_attempts, "stranger": stranger, "full": "[]"}
        # None: all updates of a lane have crashed the program too often.
        return [int(row[0]) for row in conn.execute(query, values) if row[0] is not None] if most else []

    free = FREE_UNSUSPECTED if but_suspects else FREE
    found = ids(_CONTROL, _NO_LIMIT, stranger=False)
    if most_in_chat is None:
        found += ids(free, max(0, limit), stranger=False)
    elif limit > 0:
        found += _shared_out(conn, free, limit, max_attempts, most_in_chat)
    strangers = ids(_CONTROL, most_strangers, stranger=True)
    strangers += ids(free, most_strangers - len(strangers), stranger=True)
    return [read(InboxRow, conn.execute(_START, (now, row_id)).fetchone()) for row_id in found + strangers]


def _shared_out(conn: Connection, query: str, limit: int, max_attempts: int, most_in_chat: int) -> list[int]:
    """Return the first updates of lanes that may start, by ``FREE``; of each chat only as many as have places."""
    busy = conn.execute("SELECT lane FROM inbox WHERE state = 'running' AND control = 0")
    places = Counter(chat_of(lane) for (lane,) in busy)
    full = dumps([f"{chat}:" for chat, taken in places.items() if taken >= most_in_chat])
    values = {"limit": _NO_LIMIT, "max_attempts": max_attempts, "stranger": False, "full": full}
    found: list[int] = []
    for update_id, lane in conn.execute(query, values):
        chat = chat_of(lane)
        if update_id is None or places[chat] >= most_in_chat:
            continue
        places[chat] += 1
        found.append(update_id)
        if len(found) == limit:
            break
    return found


def chat_of(lane: str) -> str:
    """Return the part of a lane's key that all lanes of its chat have in common."""
    return lane.rpartition(":")[0]


SUSPECTS = """
    SELECT * FROM inbox AS suspect
    WHERE state = 'queued' AND control = 0 AND crashes > 1 AND NOT EXISTS (
        SELECT 1 FROM inbox AS busy WHERE busy.lane = suspect.lane AND busy.state = 'running' AND busy.control = 0
    ) AND NOT EXISTS (
        SELECT 1 FROM inbox AS earlier
        WHERE earlier.lane = suspect.lane AND earlier.state = 'queued' AND earlier.control = 0
          AND earlier.update_id < suspect.update_id
    )
    ORDER BY strikes, update_id
"""


def suspects(conn: Connection) -> list[InboxRow]:
    """Return the queued updates that have run in two crashes and are next in their lanes; least suspected first."""
    return read_all(InboxRow, conn.execute(SUSPECTS))


def claim_suspect(conn: Connection, update_id: int, now: int) -> InboxRow:
    """Start one of ``suspects``, in the same transaction."""
    return read(InboxRow, conn.execute(_START, (now, update_id)).fetchone())
