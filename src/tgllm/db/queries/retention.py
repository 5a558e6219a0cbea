"""Deletion of old messages and of abandoned branches, in small pieces so that other work is not delayed."""

from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.db.engine.rows import dumps
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import files

__all__ = ["Forgotten", "conversations_after", "forget_messages", "forget_taken_back"]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Number of messages deleted in one piece, and files to remove."""

    messages: int
    paths: Sequence[str]
    """Paths of unreferenced blobs, relative to the data folder; to be removed after the commit."""


# Ids grow with time, so the oldest messages have the smallest ids, and the scan can stop at the limit.
_OLD = "SELECT id FROM (SELECT id, created_at FROM messages ORDER BY id LIMIT :limit) WHERE created_at < :before"
# While a turn is running in the lane, nothing is deleted: the turn may continue from any of these messages.
_TAKEN_BACK = """
    WITH RECURSIVE kept (id, parent_id) AS (
        SELECT id, parent_id FROM messages
        WHERE conversation_id = :conversation
          AND (created_at >= :before
               OR id = (SELECT head_message_id FROM conversations WHERE conversations.id = :conversation))
        UNION
        SELECT messages.id, messages.parent_id FROM messages JOIN kept ON messages.id = kept.parent_id
    )
    SELECT id FROM messages
    WHERE conversation_id = :conversation AND created_at < :before AND id NOT IN (SELECT id FROM kept)
      AND NOT EXISTS (SELECT 1 FROM inbox JOIN conversations ON inbox.lane = conversations.lane
                      WHERE conversations.id = :conversation AND inbox.state = 'running' AND inbox.control = 0)
    ORDER BY id DESC LIMIT :limit
"""
_HEADS = "UPDATE conversations SET head_message_id = NULL WHERE head_message_id IN (SELECT value FROM json_each(:ids))"
_CHILDREN = """
    UPDATE messages SET parent_id = NULL
    WHERE (conversation_id, parent_id) IN
          (SELECT conversation_id, id FROM messages WHERE id IN (SELECT value FROM json_each(:ids)))
"""
_FILES = "SELECT id FROM files WHERE message_id IN (SELECT value FROM json_each(:ids))"
_MESSAGES = "DELETE FROM messages WHERE id IN (SELECT value FROM json_each(:ids))"
# An active conversation stays even if empty: it holds the chosen model and settings.
_EMPTY = """
    DELETE FROM conversations WHERE active = 0 AND updated_at < :before
      AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.conversation_id = conversations.id)
"""


def forget_messages(conn: Connection, before: int, limit: int) -> Forgotten:
    """Delete messages from before ``before``, with their files and summaries.

    Later messages stay and become the start of their conversations. Archived conversations that are empty are deleted
    too. The figures of requests and usage stay.

    Args:
        conn: an open write transaction.
        before: UTC, in milliseconds.
        limit: maximum number of messages; if that many were deleted, there may be more.
    """
    gone = _delete(conn, [int(row[0]) for row in conn.execute(_OLD, {"before": before, "limit": limit})])
    if gone.messages < limit:
        conn.execute(_EMPTY, {"before": before})
    return gone


def forget_taken_back(conn: Connection, conversation_id: int, before: int, limit: int) -> Forgotten:
    """Delete abandoned branches of a conversation from before ``before``: cleared, undone or retried messages.

    The branch that ends at the head stays regardless of its age, and so do the ancestors of newer messages.

    Args:
        conn: an open write transaction.
        conversation_id: the conversation.
        before: UTC, in milliseconds.
        limit: maximum number of messages, the latest first; if that many were deleted, there may be more.
    """
    values = {"conversation": conversation_id, "before": before, "limit": limit}
    return _delete(conn, [int(row[0]) for row in conn.execute(_TAKEN_BACK, values)])


def conversations_after(conn: Connection, conversation_id: int, limit: int) -> Sequence[int]:
    """Return the next ``limit`` ids of conversations after ``conversation_id``, in order."""
    rows = conn.execute("SELECT id FROM conversations WHERE id > ? ORDER BY id LIMIT ?", (conversation_id, limit))
    return [int(row[0]) for row in rows]


def _delete(conn: Connection, ids: Sequence[int]) -> Forgotten:
    if not ids:
        return Forgotten(0, ())
    values = {"ids": dumps(ids)}
    paths = [files.delete(conn, int(row[0])) for row in conn.execute(_FILES, values).fetchall()]
    for statement in (_HEADS, _CHILDREN, _MESSAGES):
        conn.execute(statement, values)
    return Forgotten(len(ids), [path for path in paths if path is not None])
