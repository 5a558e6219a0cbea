"""Full-text indexes of SQLite (FTS5): see ``db/full_text.sql``. They hold no text, so deletions need it."""

import sqlite3
from collections.abc import Callable, Sequence

from tgllm.db.engine.full_text import has_full_text, words_of
from tgllm.db.engine.rows import clean
from tgllm.db.engine.unit import Connection

__all__ = ["Fts5"]

MOST_STRINGS = 64
"""Most strings of a query of the indexes; SQLite limits its depth to 256."""

Entries = Sequence[tuple[int, str]]


class Fts5:
    """Indexes of a SQLite file."""

    def add_passages(self, conn: Connection, entries: Entries) -> None:
        """Add passages."""
        for table, prepare in _OF_PASSAGES:
            _add(conn, table, [(id_, prepare(text)) for id_, text in entries])

    def remove_passages(self, conn: Connection, entries: Entries) -> None:
        """Remove passages."""
        for table, prepare in _OF_PASSAGES:
            _remove(conn, table, [(id_, prepare(text)) for id_, text in entries])

    def merge_passages(self, conn: Connection, pages: int) -> bool:
        """Merge segments of the indexes."""
        done = [_merge(conn, table, pages) for table, _ in _OF_PASSAGES]
        return all(done)

    def with_words(
        self, conn: Connection, first: int, end: int, words: Sequence[str], *, is_prefix: bool
    ) -> Sequence[int]:
        """Return the passages that contain all words."""
        return _find(conn, "passage_words", first, end, [f"{_quoted(word)}{'*' * is_prefix}" for word in words])

    def with_trigrams(self, conn: Connection, first: int, end: int, part: str) -> Sequence[int]:
        """Return the passages that contain all trigrams of a text."""
        grams = dict.fromkeys(part[i : i + 3] for i in range(len(part) - 2))
        return _find(conn, "passage_trigrams", first, end, list(map(_quoted, grams)))

    def forms(self, conn: Connection, prefix: str, most: int) -> Sequence[str]:
        """Return words that begin with a prefix."""
        rows = conn.execute(
            "SELECT term FROM passage_vocabulary WHERE term >= ? AND term < ? LIMIT ?",
            (clean(prefix), clean(prefix) + "\U0010ffff", most),
        )
        return [str(row[0]) for row in rows]

    def add_messages(self, conn: Connection, entries: Entries) -> None:
        """Add messages."""
        _add(conn, "message_trigrams", entries)

    def remove_messages(self, conn: Connection, entries: Entries) -> None:
        """Remove messages."""
        _remove(conn, "message_trigrams", entries)

    def merge_messages(self, conn: Connection, pages: int) -> bool:
        """Merge segments of the index."""
        return _merge(conn, "message_trigrams", pages)

    def empty_messages(self, conn: Connection) -> None:
        """Remove all messages."""
        conn.execute("INSERT INTO message_trigrams (message_trigrams) VALUES ('delete-all')")

    def messages_with(self, grams: Sequence[str]) -> tuple[str, str]:
        """Return a query for messages."""
        query = "SELECT rowid FROM message_trigrams WHERE message_trigrams MATCH :query"
        return query, " AND ".join(map(_quoted, grams))


_OF_PASSAGES: Sequence[tuple[str, Callable[[str], str]]] = (("passage_words", words_of), ("passage_trigrams", str))


def _add(conn: Connection, table: str, entries: Entries) -> None:
    conn.executemany(f"INSERT INTO {table} (rowid, text) VALUES (?, ?)", entries)  # noqa: S608 (constants)


def _remove(conn: Connection, table: str, entries: Entries) -> None:
    # An index without the text needs it to delete an entry (SQLite: FTS5, the delete command).
    conn.executemany(f"INSERT INTO {table} ({table}, rowid, text) VALUES ('delete', ?, ?)", entries)  # noqa: S608 (constants)


def _merge(conn: Connection, table: str, pages: int) -> bool:
    """Merge segments of an index, which removes what was deleted from it; return whether there is no more to do."""
    if not isinstance(conn, sqlite3.Connection) or not has_full_text(conn):
        return True
    before = conn.total_changes
    # A negative number merges all segments to one, a piece at a time (SQLite: FTS5, the merge command).
    conn.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', ?)", (-pages,))  # noqa: S608 (constants)
    # SQLite: FTS5: less than two changes mean that nothing was left to merge.
    return conn.total_changes - before < 2


def _find(conn: Connection, table: str, first: int, end: int, strings: Sequence[str]) -> Sequence[int]:
    """Return the rows that contain all strings."""
    if not strings:
        return []
    query = f"SELECT rowid FROM {table} WHERE {table} MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid"  # noqa: S608 (constants)
    try:
        rows = conn.execute(query, (" AND ".join(strings[:MOST_STRINGS]), first, end)).fetchall()
    except sqlite3.OperationalError as error:
        # A string that this build's tokenizer splits, by another version of Unicode than Python's.
        if "fts5" not in str(error):
            raise
        return []
    return [int(row[0]) for row in rows]


def _quoted(text: str) -> str:
    """Return a string of FTS5's query language, which ends at NUL."""
    return '"{}"'.format(clean(text).replace("\0", " ").replace('"', '""'))
