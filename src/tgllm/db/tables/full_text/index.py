"""The full-text indexes of a database: of passages by words and trigrams, and of messages by trigrams."""

import sqlite3
from collections.abc import Sequence
from functools import cache
from typing import Protocol

from tgllm.db.engine.unit import Connection
from tgllm.db.tables.full_text.fts5 import Fts5

__all__ = ["Entry", "TextIndex", "index_of"]

Entry = tuple[int, str]
"""Id of a passage or message, and its text."""


class TextIndex(Protocol):
    """Indexes of a kind of database; ``has_full_text`` says whether a database has them."""

    def add_passages(self, conn: Connection, entries: Sequence[Entry]) -> None:
        """Add passages, which are stored already."""
        ...

    def remove_passages(self, conn: Connection, entries: Sequence[Entry]) -> None:
        """Remove passages before they are deleted, given the texts with which they were added."""
        ...

    def merge_passages(self, conn: Connection, pages: int) -> bool:
        """Remove what deleted passages have left, about ``pages`` pages at once; return whether nothing is left."""
        ...

    def with_words(
        self, conn: Connection, first: int, end: int, words: Sequence[str], *, is_prefix: bool
    ) -> Sequence[int]:
        """Return the passages from ``first`` up to, but not including, ``end`` that contain all words, in order.

        ``is_prefix``: or words that begin with them.
        """
        ...

    def with_trigrams(self, conn: Connection, first: int, end: int, part: str) -> Sequence[int]:
        """Return the passages from ``first`` up to, but not including, ``end`` with all trigrams of a text."""
        ...

    def forms(self, conn: Connection, prefix: str, most: int) -> Sequence[str]:
        """Return up to ``most`` words of passages that begin with a prefix, in the order of their characters."""
        ...

    def add_messages(self, conn: Connection, entries: Sequence[Entry]) -> None:
        """Add folded texts of messages."""
        ...

    def remove_messages(self, conn: Connection, entries: Sequence[Entry]) -> None:
        """Remove messages, given the folded texts with which they were added."""
        ...

    def merge_messages(self, conn: Connection, pages: int) -> bool:
        """Remove what deleted messages have left, about ``pages`` pages at once; return whether nothing is left."""
        ...

    def empty_messages(self, conn: Connection) -> None:
        """Remove all messages."""
        ...

    def messages_with(self, grams: Sequence[str]) -> tuple[str, str]:
        """Return a query for the ids of messages that contain all folded trigrams, and its parameter ``query``."""
        ...


_FTS5 = Fts5()


@cache
def _gin() -> "TextIndex":
    from tgllm.db.tables.full_text.gin import Gin  # noqa: PLC0415  only on a server

    return Gin()


def index_of(conn: Connection) -> TextIndex:
    """Return the indexes of the kind of database that a connection is to."""
    return _FTS5 if isinstance(conn, sqlite3.Connection) else _gin()
