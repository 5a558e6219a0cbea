"""Claims of outbox rows: which calls may be made next, and when there will be others."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tgllm.db.engine.rows import read
from tgllm.db.engine.unit import Connection, Row
from tgllm.db.queries.known_ids import HIGHEST
from tgllm.db.tables.outbox import ANSWER, CARD, NOTICE, TIDY, OutboxRow, Priority, first_of_stream

__all__ = ["claim", "next_due", "waiting"]

# Rows of one priority that are first in their stream, where none is being sent. They are read from an index until
# enough are found, so rows that wait behind others cost nothing: of those only a few are in the index (see ``behind``).
# PostgreSQL: with OFFSET each subquery stays a look into an index. Without it, it becomes a join, planned by statistics
# of a queue that may have been empty then, which compares all pairs of rows.
_HEAD = """
    SELECT id, not_before, chat_id
    FROM outbox AS head INDEXED BY outbox_due
    WHERE state = 'ready' AND behind = 0 AND priority = :priority AND {range}
        AND NOT EXISTS (
            SELECT 1 FROM outbox AS busy
            WHERE busy.state = 'sending' AND busy.lane = head.lane AND (busy.priority >= 2) = (head.priority >= 2)
            LIMIT 1 OFFSET 0
        )
        AND NOT EXISTS (
            SELECT 1 FROM outbox AS earlier
            WHERE earlier.state = 'ready' AND earlier.lane = head.lane
                AND earlier.priority >= :first AND earlier.priority < head.priority
            LIMIT 1 OFFSET 0
        )
        AND NOT EXISTS (
            SELECT 1 FROM outbox AS earlier
            WHERE earlier.state = 'ready' AND earlier.lane = head.lane
                AND earlier.priority = head.priority AND earlier.id < head.id
            LIMIT 1 OFFSET 0
        )
    ORDER BY not_before, id
    LIMIT :most
"""
# Fresh rows have no time, and those that were put off have one. Two ranges, so that rows for later are not read.
_FRESH = _HEAD.format(range="not_before = 0")
_PUT_OFF = _HEAD.format(range="not_before BETWEEN 1 AND :now")
_LATER = _HEAD.format(range="not_before > :now")
_WAITING = """
    SELECT 0 WHERE EXISTS (SELECT 1 FROM outbox WHERE state = 'ready' AND behind = 0 AND priority = 0)
    UNION ALL SELECT 1 WHERE EXISTS (SELECT 1 FROM outbox WHERE state = 'ready' AND behind = 0 AND priority = 1)
    UNION ALL SELECT 2 WHERE EXISTS (SELECT 1 FROM outbox WHERE state = 'ready' AND behind = 0 AND priority = 2)
    UNION ALL SELECT 3 WHERE EXISTS (SELECT 1 FROM outbox WHERE state = 'ready' AND behind = 0 AND priority = 3)
"""
# The highest id from before a call that may have arrived stays. Above it may be the message of a row that was given up
# and whose content was erased. It could be taken for this one, until a later message of the same stream is confirmed
# (see ``outbox.pass_over``).
_START = f"""
    UPDATE outbox
    SET state = 'sending', attempts = attempts + 1, claimed_at = ?, unconfirmed = unconfirmed + (1 - doubt),
    known_id = CASE
        WHEN doubt = 1 THEN known_id
        WHEN NOT EXISTS (
            SELECT 1 FROM outbox AS other
            WHERE other.chat_id = outbox.chat_id AND other.doubt = 1 AND other.state IN ('uncertain', 'dropped')
                AND other.payload = '{{}}'
        ) THEN ({HIGHEST})
    END
    WHERE id = ? RETURNING *
"""  # noqa: S608  only a constant is inserted

_MORE: Final = 8
"""How many times more rows are read than are wanted, since those of some chats may not be chosen; then more still."""
_ALL: Final[Sequence[Priority]] = (ANSWER, TIDY, CARD, NOTICE)


def claim(
    conn: Connection,
    limit: int,
    now: int,
    *,
    priorities: Sequence[Priority] = _ALL,
    most_in_chat: int | None = None,
    rooms: Mapping[int, int] | None = None,
    passed: set[int] | None = None,
) -> list[OutboxRow]:
    """Claim the first ready row of each stream, if it is due and no row of the stream is being sent.

    Args:
        conn: an open write transaction.
        limit: maximum number of rows.
        now: UTC in milliseconds.
        priorities: priorities to claim, the most urgent first.
        most_in_chat: maximum number of rows of one chat, which has a lane for each topic; None for no maximum.
        rooms: a lower maximum for some chats; 0 if they have to wait, for example because of a rate limit.
        passed: receives the chats of which a due row was not claimed because of the chat, as far as they were looked
            at: all of them if fewer rows than ``limit`` are claimed.

    Returns:
        The rows, now ``sending``, by priority and then in the order of their ids. If more rows of a priority are due
        than ``limit``, those that were put off are chosen by ``not_before``: the longest wait counts, not the id.
    """
    chosen: list[int] = []
    counted: Counter[int] = Counter()
    share = _Share(most_in_chat, rooms or {}, set() if passed is None else passed)
    for priority in priorities:
        if len(chosen) == limit:
            break
        due: list[Row] = []
        for query in (_FRESH, _PUT_OFF):
            due += _first(conn, query, priority, now, share, limit)
        due.sort(key=lambda head: head["id"])
        for head in due:
            if len(chosen) < limit and share.allows(head["chat_id"], counted):
                chosen.append(head["id"])
    return [read(OutboxRow, conn.execute(_START, (now, row_id)).fetchone()) for row_id in chosen]


@dataclass(frozen=True, slots=True)
class _Share:
    """How many rows of each chat may be chosen."""

    most_in_chat: int | None
    rooms: Mapping[int, int]
    passed: set[int]

    def allows(self, chat_id: int | None, counted: "Counter[int]") -> bool:
        """Return whether a chat may have another row, and count it; else note that the chat was passed over."""
        if chat_id is None:
            return True
        most = self.most_in_chat
        if chat_id in self.rooms:
            most = self.rooms[chat_id] if most is None else min(most, self.rooms[chat_id])
        if most is not None and counted[chat_id] >= most:
            self.passed.add(chat_id)
            return False
        counted[chat_id] += 1
        return True


def _first(conn: Connection, query: str, priority: Priority, now: int, share: _Share, limit: int) -> list[Row]:
    """Return the first rows of a query, which is read no further than necessary."""
    values = {"priority": priority, "now": now, "first": first_of_stream(priority)}
    most = _MORE * (limit + _MORE)
    while True:
        found: list[Row] = []
        counted: Counter[int] = Counter()
        for number, head in enumerate(conn.execute(query, {**values, "most": most}), 1):
            if share.allows(head["chat_id"], counted):
                found.append(head)
            if len(found) == limit:
                return found
            if number == most:
                break
        else:
            return found
        most *= _MORE


def waiting(conn: Connection) -> set[int]:
    """Return the priorities of which a row is ready."""
    return {row[0] for row in conn.execute(_WAITING)}


def next_due(
    conn: Connection,
    now: int = 0,
    *,
    priorities: Sequence[Priority] = _ALL,
    exclude_chats: Collection[int] = (),
) -> int | None:
    """Return when the next row is due, in UTC milliseconds (0: at once); None if no row is waiting.

    Streams with a row being sent are ignored, since their next row can't be sent before that one is finished, and so
    are ``exclude_chats``.
    """
    share = _Share(None, dict.fromkeys(exclude_chats, 0), set())
    times = [
        int(head["not_before"])
        for priority in priorities
        for query in (_FRESH, _PUT_OFF, _LATER)
        for head in _first(conn, query, priority, now, share, 1)
    ]
    return min(times, default=None)
