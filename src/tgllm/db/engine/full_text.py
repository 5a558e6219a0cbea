"""Full-text search: whether SQLite has it, and how text is prepared for its index of words."""

import re
import sqlite3
import unicodedata
from functools import cache
from typing import Final

from tgllm.db.engine.unit import Connection

__all__ = [
    "CHARACTER_SCRIPTS",
    "character_runs",
    "has_full_text",
    "pairs",
    "plain_words",
    "sqlite_version",
    "words_of",
]

CHARACTER_SCRIPTS: Final = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Han, Kana and Hangul, for a character class. What ``words_of`` does is part of the stored index: entries are deleted
with the same text that they were made from, so a change needs a migration that fills the index anew."""

# Letters that are written in two ways, and that SQLite's tokenizer does not take for accents.
_PLAIN: Final = str.maketrans(
    {"ё": "\u0435", "Ё": "\u0415", "ß": "ss", "\u0131": "i", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O"}
)


@cache
def character_runs() -> re.Pattern[str]:
    """Return the pattern of a run of these scripts; it takes long to compile, so it is compiled on first use."""
    return re.compile(f"[{CHARACTER_SCRIPTS}]+")


def has_full_text(conn: Connection) -> bool:
    """Return whether the database has full-text indexes: PostgreSQL always, SQLite if it is built with FTS5."""
    if not isinstance(conn, sqlite3.Connection):
        return True
    return conn.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone() is not None


def sqlite_version(conn: Connection) -> str:
    """Return the version of SQLite."""
    return str(conn.execute("SELECT sqlite_version()").fetchone()[0])


def pairs(run: str) -> list[str]:
    """Return the overlapping pairs of characters of a run of one script; a single character is returned as it is."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def words_of(text: str) -> str:
    """Return a text whose Chinese, Japanese and Korean runs are replaced with their pairs of characters.

    SQLite's tokenizer takes such a run for one word, and most words of these languages have two characters.
    """
    if text.isascii():
        return text
    return character_runs().sub(lambda found: f" {' '.join(pairs(found[0]))} ", text.translate(_PLAIN))


def plain_words(text: str) -> list[str]:
    """Return the words of a query, split as SQLite's tokenizer splits them."""
    kept = (char if char.isalnum() or unicodedata.category(char)[0] == "M" else " " for char in text.translate(_PLAIN))
    return "".join(kept).split()
