"""Takes the content out of stored updates that nobody must be able to read any more, such as a password.

The rows stay, so that an update that comes twice is still known. SQLite overwrites what is replaced
(``secure_delete``); the write-ahead log holds it until the next checkpoint.
"""

import sqlite3
from typing import Final

from tgllm.db.engine.rows import read_all
from tgllm.db.tables.inbox import InboxRow

__all__ = ["QUESTIONS", "private_updates_after", "replace_payload", "scrub", "scrub_answers"]

QUESTIONS: Final = "admin_question"
"""Scope of the values that say who has been asked for the admin password: key ``user:<id>``, value with the id of the
update that asked."""

# A private chat has the id of its person; each topic of it is a lane. Chats through a business account are others'.
_MINE = "lane GLOB ':' || :user || ':*'"


def replace_payload(conn: sqlite3.Connection, update_id: int, payload: str) -> None:
    """Put JSON in place of what came."""
    conn.execute("UPDATE inbox SET payload = ? WHERE update_id = ?", (payload, update_id))


def scrub(conn: sqlite3.Connection, update_id: int) -> None:
    """Leave nothing of an update but its id."""
    conn.execute(
        "UPDATE inbox SET payload = json_object('update_id', update_id), error = NULL WHERE update_id = ?", (update_id,)
    )


def private_updates_after(conn: sqlite3.Connection, user_id: int, update_id: int, since: int) -> list[InboxRow]:
    """Messages of a person to the bot that came after an update and were not done with, oldest first.

    Args:
        conn: an open transaction.
        user_id: Telegram's user id.
        update_id: the update after which they came. Ids count up; only a week without updates breaks that
            (Bot API: Update).
        since: UTC in milliseconds; older ones are left out.
    """
    cursor = conn.execute(
        f"SELECT * FROM inbox WHERE {_MINE} AND update_id > :update AND received_at >= :since"  # noqa: S608 (constants)
        " AND kind IN ('message', 'edited_message') AND state NOT IN ('done', 'merged') ORDER BY update_id",
        {"user": user_id, "update": update_id, "since": since},
    )
    return read_all(InboxRow, cursor)


_ANSWERS = """
    UPDATE inbox
    SET payload = json_object('update_id', update_id), error = NULL,
        finished_at = coalesce(finished_at, received_at), state = iif(finished_at IS NULL, 'done', state)
    WHERE kind IN ('message', 'edited_message') AND state NOT IN ('done', 'merged') AND EXISTS (
        SELECT 1 FROM kv
        WHERE scope = :scope AND lane GLOB ':' || substr(key, length('user:') + 1) || ':*'
          AND update_id > json_extract(value, '$.update_id')
    )
"""


def scrub_answers(conn: sqlite3.Connection) -> None:
    """End in a copy what may answer a question for the admin password and has not been looked at, and empty it."""
    conn.execute(_ANSWERS, {"scope": QUESTIONS})
