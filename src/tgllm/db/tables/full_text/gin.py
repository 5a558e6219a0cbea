"""Full-text indexes of PostgreSQL (GIN): see ``db/postgres/full_text.sql``.

Words and folded texts are made here and not by a dictionary of the server, so that both kinds of databases find the
same, in all languages and whatever is installed there. What is deleted is out of the index with its row.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from tgllm.db.engine.full_text import plain_words, words_of
from tgllm.db.engine.rows import clean, dumps
from tgllm.db.engine.unit import Connection

__all__ = ["Gin", "lexeme"]

LONGEST_WORD: Final = 500
"""Characters of a word in the index; PostgreSQL limits a lexeme to 2 kB."""
MOST_PASSAGES: Final = 300
"""Passages in which forms of a word are looked for."""
_ACCENTED: Final = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")

Entries = Sequence[tuple[int, str]]


class Gin:
    """Indexes of a database of PostgreSQL."""

    def add_passages(self, conn: Connection, entries: Entries) -> None:
        """Add passages."""
        conn.executemany(
            "INSERT INTO passage_index (id, words, folded) VALUES (?, array_to_tsvector(ARRAY("
            " SELECT value FROM json_each(?))), ?)",
            [(id_, dumps(_lexemes(plain_words(words_of(text)))), text.casefold()) for id_, text in entries],
        )

    def remove_passages(self, conn: Connection, entries: Entries) -> None:
        """Do nothing: the rows go with those of the passages."""

    def merge_passages(self, conn: Connection, pages: int) -> bool:  # noqa: ARG002  as for SQLite
        """Return True: what was deleted is not in the index any more."""
        return True

    def with_words(
        self, conn: Connection, first: int, end: int, words: Sequence[str], *, is_prefix: bool
    ) -> Sequence[int]:
        """Return the passages that contain all words."""
        query = " & ".join(f"{_quoted(word)}{':*' * is_prefix}" for word in _lexemes(words))
        rows = conn.execute(
            "SELECT id FROM passage_index WHERE words @@ CAST(? AS tsquery) AND id >= ? AND id < ? ORDER BY id",
            (query, first, end),
        )
        return [int(row[0]) for row in rows] if query else []

    def with_trigrams(self, conn: Connection, first: int, end: int, part: str) -> Sequence[int]:
        """Return the passages that contain all trigrams of a text."""
        folded = clean(part).casefold()
        grams = [folded[i : i + 3] for i in range(len(folded) - 2)]
        if not grams:
            return []
        rows = conn.execute(
            "SELECT id FROM passage_index WHERE trigrams(folded) @> ARRAY(SELECT value FROM json_each(?))"
            " AND id >= ? AND id < ? ORDER BY id",
            (dumps(grams), first, end),
        )
        return [int(row[0]) for row in rows]

    def forms(self, conn: Connection, prefix: str, most: int) -> Sequence[str]:
        """Return words that begin with a prefix, of some passages that have any."""
        wanted = lexeme(clean(prefix))
        if not wanted:
            return []
        rows = conn.execute(
            'SELECT DISTINCT word COLLATE "C" AS word FROM (SELECT words FROM passage_index'
            " WHERE words @@ CAST(? AS tsquery) LIMIT ?) AS found, unnest(tsvector_to_array(words)) AS word"
            " WHERE starts_with(word, ?) ORDER BY word LIMIT ?",
            (f"{_quoted(wanted)}:*", MOST_PASSAGES, wanted, most),
        )
        return [str(row[0]) for row in rows]

    def add_messages(self, conn: Connection, entries: Entries) -> None:
        """Add messages, or replace them."""
        conn.executemany(
            "INSERT INTO message_index (id, folded) VALUES (?, ?)"
            " ON CONFLICT (id) DO UPDATE SET folded = excluded.folded",
            entries,
        )

    def remove_messages(self, conn: Connection, entries: Entries) -> None:
        """Do nothing: the rows go with those of the messages."""

    def merge_messages(self, conn: Connection, pages: int) -> bool:  # noqa: ARG002  as for SQLite
        """Return True: what was deleted is not in the index any more."""
        return True

    def empty_messages(self, conn: Connection) -> None:
        """Remove all messages."""
        conn.execute("DELETE FROM message_index")

    def messages_with(self, grams: Sequence[str]) -> tuple[str, str]:
        """Return a query for messages."""
        query = "SELECT id FROM message_index WHERE trigrams(folded) @> ARRAY(SELECT value FROM json_each(:query))"
        return query, dumps([clean(gram) for gram in grams])


def lexeme(word: str) -> str:
    """Return a word as the index has it: without case, and its Latin letters without accents."""
    plain = unicodedata.normalize("NFC", word.casefold())
    return _ACCENTED.sub(lambda found: unicodedata.normalize("NFD", found[0])[0], plain)[:LONGEST_WORD]


def _lexemes(words: Sequence[str]) -> list[str]:
    return [word for word in dict.fromkeys(map(lexeme, words)) if word]


def _quoted(word: str) -> str:
    """Return a word as a part of a tsquery."""
    return "'{}'".format(word.replace("\\", "\\\\").replace("'", "''"))
