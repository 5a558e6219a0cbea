"""Table ``unreachable_chats``: people who have blocked the bot, and groups that it was removed from."""

import sqlite3

__all__ = ["is_unreachable", "note", "reached"]


def note(conn: sqlite3.Connection, chat_id: int, now: int) -> None:
    """Note that the bot may not write to a chat."""
    conn.execute(
        "INSERT INTO unreachable_chats (chat_id, since) VALUES (?, ?)"
        " ON CONFLICT (chat_id) DO UPDATE SET since = excluded.since",
        (chat_id, now),
    )


def reached(conn: sqlite3.Connection, chat_id: int) -> None:
    """Note that the bot may write to a chat again."""
    conn.execute("DELETE FROM unreachable_chats WHERE chat_id = ?", (chat_id,))


# The update that says so may have been lost: Telegram keeps updates for a day.
_HEARD_SINCE = """
    SELECT 1 FROM inbox
    WHERE received_at > :since AND kind IN ('message', 'edited_message', 'callback_query')
        AND (lane = :lane OR lane GLOB :lane || '*')
    LIMIT 1
"""


def is_unreachable(conn: sqlite3.Connection, chat_id: int) -> bool:
    """Return whether the bot may not write to a chat, as far as it knows.

    Who has blocked the bot can't write to it, so after a later message from the chat it may write again.
    """
    row = conn.execute("SELECT since FROM unreachable_chats WHERE chat_id = ?", (chat_id,)).fetchone()
    if row is None:
        return False
    values = {"since": row["since"], "lane": f":{chat_id}:"}
    return conn.execute(_HEARD_SINCE, values).fetchone() is None
