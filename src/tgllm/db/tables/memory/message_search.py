"""Index of the search in conversations: the tables ``message_trigrams``, ``search_waiting`` and ``search_removals``.

Triggers note each new message as waiting, and each deleted one that is in the index as to be removed: an index without
the text needs it to delete an entry (SQLite: FTS5, the delete command). A removed row stays without its text until the
segments of the index are merged, which may still hold the words. So a crash at any point loses nothing of the work.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tgllm.db.engine.full_text import has_full_text
from tgllm.db.engine.rows import dumps, read_all
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.full_text.index import index_of

__all__ = [
    "MOST_GRAMS",
    "StoredText",
    "add_next",
    "drop_removed",
    "forget_index",
    "has_removals",
    "has_waiting",
    "lanes_of_chat",
    "matching",
    "merge_segments",
    "on_branch",
    "rebuild",
    "remove_next",
    "stored",
]

MOST_GRAMS = 64
"""Most trigrams of a query; SQLite limits its depth to 256. What is found is compared with the whole words anyway."""

Fold = Callable[[str], str]
"""Prepares a text for the index; the same text must give the same result, see ``rebuild``."""


@dataclass(frozen=True, slots=True)
class StoredText:
    """A message, for the search."""

    id: int
    conversation_id: int
    lane: str
    role: str
    text: str
    telegram_message_id: int | None
    """The first of the messages in Telegram that show it."""
    created_at: int


def add_next(conn: Connection, fold: Fold, most: int) -> int:
    """Put up to ``most`` waiting messages into the index, and return their number; none without FTS5.

    Removals come first: a new message may have the id of a deleted one.
    """
    if not has_full_text(conn) or has_removals(conn, with_text=True):
        return 0
    query = "SELECT message_id, text FROM search_waiting LEFT JOIN messages ON messages.id = message_id LIMIT ?"
    rows = conn.execute(query, (most,)).fetchall()
    entries = [(row["message_id"], fold(row["text"])) for row in rows if row["text"] is not None]
    index_of(conn).add_messages(conn, entries)
    ids = dumps([row["message_id"] for row in rows])
    conn.execute("DELETE FROM search_waiting WHERE message_id IN (SELECT value FROM json_each(?))", (ids,))
    return len(rows)


def remove_next(conn: Connection, fold: Fold, most: int) -> int:
    """Take up to ``most`` deleted messages out of the index, and return their number; see ``merge_segments``."""
    rows = conn.execute("SELECT * FROM search_removals WHERE text IS NOT NULL LIMIT ?", (most,)).fetchall()
    if rows and has_full_text(conn):
        index_of(conn).remove_messages(conn, [(row["message_id"], fold(row["text"])) for row in rows])
    ids = dumps([row["id"] for row in rows])
    conn.execute("UPDATE search_removals SET text = NULL WHERE id IN (SELECT value FROM json_each(?))", (ids,))
    return len(rows)


def merge_segments(conn: Connection, pages: int) -> bool:
    """Merge segments of the index, which drops the words of removed messages; return whether there is no more to do.

    Args:
        conn: an open write transaction.
        pages: about how many pages of the index may be written.
    """
    return index_of(conn).merge_messages(conn, pages)


def drop_removed(conn: Connection) -> int:
    """Delete the rows of removed messages, after the segments are merged; return their number."""
    return conn.execute("DELETE FROM search_removals WHERE text IS NULL").rowcount


def has_waiting(conn: Connection) -> bool:
    """Return whether messages wait for the index."""
    return conn.execute("SELECT 1 FROM search_waiting LIMIT 1").fetchone() is not None


def has_removals(conn: Connection, *, with_text: bool = False) -> bool:
    """Return whether deleted messages have left words in the index; ``with_text``: whether their entries are there."""
    query = "SELECT 1 FROM search_removals WHERE text IS NOT NULL OR ? = 0 LIMIT 1"
    return conn.execute(query, (with_text,)).fetchone() is not None


def rebuild(conn: Connection) -> None:
    """Empty the index, and let all messages wait for it: they are prepared in another way now."""
    index_of(conn).empty_messages(conn)
    forget_index(conn)


def forget_index(conn: Connection) -> None:
    """Let all messages wait for the index, without a change of the index itself, which needs FTS5."""
    conn.execute("UPDATE search_removals SET text = NULL")
    conn.execute(
        # SQLite: without a WHERE, ON would be taken for that of a join.
        "INSERT INTO search_waiting (message_id) SELECT id FROM messages WHERE true ON CONFLICT (message_id) DO NOTHING"
    )


def lanes_of_chat(conn: Connection, chat_id: int) -> list[str]:
    """Return the lanes of a chat that have conversations, of all its topics and readers; without business chats."""
    query = "SELECT DISTINCT lane FROM conversations WHERE lane GLOB ':' || ? || ':*'"
    return [str(row[0]) for row in conn.execute(query, (chat_id,))]


_MATCHING = """
    SELECT id FROM messages
    WHERE conversation_id IN (SELECT id FROM conversations WHERE lane IN (SELECT value FROM json_each(:lanes)))
      {indexed}
    ORDER BY id DESC
"""
_INDEXED = """
    AND (id IN ({found})
         OR id IN (SELECT message_id FROM search_waiting))
"""
_STORED = """
    SELECT messages.id, conversation_id, lane, role, text, messages.created_at,
        CAST(json_extract(telegram_message_ids, '$[0]') AS INTEGER) AS telegram_message_id
    FROM messages JOIN conversations ON conversations.id = conversation_id
    WHERE messages.id IN (SELECT value FROM json_each(?)) ORDER BY messages.id DESC
"""


def matching(conn: Connection, lanes: Collection[str], grams: Sequence[str]) -> list[int]:
    """Return the ids of messages of some lanes that may match, the newest first: not all of them contain the words.

    Args:
        conn: an open transaction.
        lanes: the lanes; messages of no other lane are returned.
        grams: folded trigrams, all of which a message must contain; none, or no FTS5: all messages are returned.
    """
    values = {"lanes": dumps(sorted(lanes))}
    indexed = ""
    if grams and has_full_text(conn):
        found, values["query"] = index_of(conn).messages_with(grams[:MOST_GRAMS])
        indexed = _INDEXED.format(found=found)
    return [int(row[0]) for row in conn.execute(_MATCHING.format(indexed=indexed), values)]


def stored(conn: Connection, ids: Collection[int]) -> list[StoredText]:
    """Return some messages, the newest first."""
    return read_all(StoredText, conn.execute(_STORED, (dumps(sorted(ids)),)))


_ON_BRANCH = """
    WITH RECURSIVE kept (id, parent_id) AS (
        SELECT messages.id, parent_id FROM messages
        JOIN conversations ON conversations.id = conversation_id AND messages.id = head_message_id
        WHERE conversation_id = :conversation
        UNION ALL
        SELECT messages.id, messages.parent_id FROM messages JOIN kept ON messages.id = kept.parent_id
    )
    SELECT id FROM kept
"""


def on_branch(conn: Connection, conversation_id: int) -> frozenset[int]:
    """Return the messages on the current branch of a conversation: not what was taken back or left by a fork."""
    return frozenset(int(row[0]) for row in conn.execute(_ON_BRANCH, {"conversation": conversation_id}))
