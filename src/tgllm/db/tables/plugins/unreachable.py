"""Table ``unreachable_chats``: people who have blocked the bot, and groups that it was removed from."""

from tgllm.db.engine.unit import Connection

__all__ = ["is_unreachable", "move", "note", "reached", "tidy"]


def note(conn: Connection, chat_id: int, now: int) -> None:
    """Note that the bot may not write to a chat."""
    conn.execute(
        "INSERT INTO unreachable_chats (chat_id, since) VALUES (?, ?)"
        " ON CONFLICT (chat_id) DO UPDATE SET since = excluded.since",
        (chat_id, now),
    )


def reached(conn: Connection, chat_id: int) -> None:
    """Note that the bot may write to a chat again."""
    conn.execute("DELETE FROM unreachable_chats WHERE chat_id = ?", (chat_id,))


def move(conn: Connection, old: int, new: int) -> None:
    """Make what is noted of a group that of its supergroup."""
    conn.execute(
        "UPDATE unreachable_chats SET chat_id = :new WHERE chat_id = :old"
        " AND NOT EXISTS (SELECT 1 FROM unreachable_chats AS other WHERE other.chat_id = :new)",
        {"old": old, "new": new},
    )
    reached(conn, old)


# The update that says so may have been lost: Telegram keeps updates for a day.
_HEARD_SINCE = """
    SELECT 1 FROM inbox
    WHERE received_at > :since AND kind IN ('message', 'edited_message', 'callback_query')
        AND (lane = :lane OR lane GLOB :lane || '*')
    LIMIT 1
"""


def is_unreachable(conn: Connection, chat_id: int) -> bool:
    """Return whether the bot may not write to a chat, as far as it knows.

    Who has blocked the bot can't write to it, so after a later message from the chat it may write again.
    """
    row = conn.execute("SELECT since FROM unreachable_chats WHERE chat_id = ?", (chat_id,)).fetchone()
    if row is None:
        return False
    values = {"since": row["since"], "lane": f":{chat_id}:"}
    return conn.execute(_HEARD_SINCE, values).fetchone() is None


# One pass over the updates; the chat is the first number of a lane.
_TIDY = """
    DELETE FROM unreachable_chats
    WHERE chat_id NOT IN (SELECT id FROM users UNION ALL SELECT id FROM groups
                          UNION ALL SELECT CAST(substr(lane, 2) AS INTEGER) FROM reminders)
        OR chat_id IN (
            SELECT noted.chat_id FROM inbox CROSS JOIN unreachable_chats AS noted
                ON noted.chat_id = CAST(substr(inbox.lane, 2) AS INTEGER) AND inbox.received_at > noted.since
            WHERE inbox.kind IN ('message', 'edited_message', 'callback_query') AND inbox.lane GLOB ':*'
        )
"""


def tidy(conn: Connection) -> int:
    """Delete the notes on unknown chats and on those from which something has come since; return how many.

    It is called before updates are deleted: they show that something has come.
    """
    return conn.execute(_TIDY).rowcount
