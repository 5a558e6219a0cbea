"""Table ``summaries``: summaries of conversations, each from the start up to one message of the tree.

A summary is valid on every branch that contains its last message: the messages before it are the same on all of them.
"""

from contextlib import closing
from dataclasses import dataclass

from tgllm.db.engine.rows import clean, read_all
from tgllm.db.engine.unit import Connection

__all__ = ["Summary", "latest_before", "put"]


@dataclass(frozen=True, slots=True)
class Summary:
    """A stored summary; the fields are the columns of the table ``summaries``."""

    conversation_id: int
    message_id: int
    text: str
    provider: str
    model: str
    created_at: int


def put(conn: Connection, summary: Summary) -> None:
    """Store a summary, in place of one up to the same message.

    Raises:
        sqlite3.IntegrityError: the conversation has no such message.
    """
    conn.execute(
        "INSERT INTO summaries (conversation_id, message_id, text, provider, model, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (conversation_id, message_id) DO UPDATE"
        " SET text = excluded.text, provider = excluded.provider, model = excluded.model,"
        " created_at = excluded.created_at",
        (
            summary.conversation_id,
            summary.message_id,
            clean(summary.text),
            summary.provider,
            summary.model,
            summary.created_at,
        ),
    )


_CANDIDATES = "SELECT * FROM summaries WHERE conversation_id = ? AND message_id <= ? ORDER BY message_id DESC"
_BRANCH = """
    WITH RECURSIVE branch (id, parent_id) AS (
        SELECT id, parent_id FROM messages WHERE conversation_id = :conversation_id AND id = :head
        UNION ALL
        SELECT messages.id, messages.parent_id FROM branch CROSS JOIN messages ON messages.id = branch.parent_id
    )
    SELECT id FROM branch
"""


def latest_before(conn: Connection, conversation_id: int, head: int | None) -> Summary | None:
    """Return the latest summary on the branch that ends with ``head``; None if there is none.

    The branch is followed from its end, and only as far as the summary; ids decrease on the way.
    """
    candidates = read_all(Summary, conn.execute(_CANDIDATES, (conversation_id, head)))
    if not candidates:
        return None
    left = iter(candidates)
    candidate = next(left)
    with closing(conn.execute(_BRANCH, {"conversation_id": conversation_id, "head": head})) as branch:
        for (message_id,) in branch:
            while candidate.message_id > message_id:
                found = next(left, None)
                if found is None:
                    return None
                candidate = found
            if candidate.message_id == message_id:
                return candidate
    return None
