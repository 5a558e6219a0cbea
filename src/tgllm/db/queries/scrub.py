"""Removal of sensitive content, such as a password, from stored updates.

The rows stay, so that a repeated update is still recognised. SQLite overwrites replaced content (``secure_delete``);
the write-ahead log holds it until the next checkpoint.
"""

from typing import Final

from tgllm.db.engine.rows import dumps, read_all
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.inbox import InboxRow

__all__ = ["QUESTIONS", "hidden_updates", "private_updates_after", "replace_payload", "scrub", "scrub_answers"]

QUESTIONS: Final = "admin_question"
"""Scope of the pending questions for the admin password: key ``user:<id>``, value with the id of the update that caused
the question."""

# A private chat has the user's id, and each of its topics is a lane. Chats of a business connection are excluded: they
# belong to other people.
_MINE = "lane GLOB ':' || :user || ':*'"


def replace_payload(conn: Connection, update_id: int, payload: str) -> None:
    """Replace the payload of an update with other JSON."""
    conn.execute("UPDATE inbox SET payload = ? WHERE update_id = ?", (payload, update_id))


def scrub(conn: Connection, update_id: int) -> None:
    """Remove everything but the id from the payload of an update."""
    conn.execute(
        "UPDATE inbox SET payload = ?, error = NULL WHERE update_id = ?", (dumps({"update_id": update_id}), update_id)
    )


def private_updates_after(conn: Connection, user_id: int, update_id: int, since: int) -> list[InboxRow]:
    """Return a person's private messages after an update that have not been handled, oldest first.

    Args:
        conn: an open transaction.
        user_id: Telegram's user id.
        update_id: the update before them. Ids increase, unless there were no updates for a week (Bot API: Update).
        since: UTC in milliseconds; older messages are left out.
    """
    cursor = conn.execute(
        f"SELECT * FROM inbox WHERE {_MINE} AND update_id > :update AND received_at >= :since"  # noqa: S608 (constants)
        " AND kind IN ('message', 'edited_message') AND state NOT IN ('done', 'merged') ORDER BY update_id",
        {"user": user_id, "update": update_id, "since": since},
    )
    return read_all(InboxRow, cursor)


def hidden_updates(conn: Connection) -> list[InboxRow]:
    """Return the unfinished updates that are stored without their contents, oldest first."""
    cursor = conn.execute(
        "SELECT * FROM inbox WHERE state IN ('queued', 'running')"
        " AND CAST(json_extract(payload, '$.tgllm.hidden') AS INTEGER) = 1 ORDER BY update_id"
    )
    return read_all(InboxRow, cursor)


_ANSWERS = """
    UPDATE inbox
    SET payload = '{"update_id":' || update_id || '}', error = NULL,
        finished_at = coalesce(finished_at, received_at),
        state = CASE WHEN finished_at IS NULL THEN 'done' ELSE state END
    WHERE kind IN ('message', 'edited_message') AND state NOT IN ('done', 'merged') AND EXISTS (
        SELECT 1 FROM kv
        WHERE scope = :scope AND lane GLOB ':' || substr(key, length('user:') + 1) || ':*'
          AND update_id > CAST(json_extract(value, '$.update_id') AS INTEGER)
    )
"""


def scrub_answers(conn: Connection) -> None:
    """Finish and scrub unhandled messages that may contain the admin password; called on a copy of the database."""
    conn.execute(_ANSWERS, {"scope": QUESTIONS})
