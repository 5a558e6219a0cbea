"""Table ``file_texts``: what was read of a content, or why it can't be read."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from tgllm.db.engine.rows import BOOL, JSON, clean, dumps, read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = ["FileText", "TextSize", "get", "put", "sizes"]


@dataclass(frozen=True, slots=True)
class FileText:
    """Text of a content; the fields are the columns of the table ``file_texts``."""

    sha256: str
    reader: str
    """What has read it: the id of a file handler, or ``transcriber:`` and the id of a transcriber."""
    text: str = ""
    """Empty if the table ``passages`` has it."""
    chars: int = 0
    """Length of the text, wherever it is; stored as at least that of ``text``."""
    pages: int | None = None
    truncated: bool = field(default=False, metadata=BOOL)
    without_text: int = 0
    encoding: str = ""
    language: str | None = None
    pictures: list[dict[str, Any]] | None = field(default=None, metadata=JSON)
    """Pictures of pages: page, path, MIME type, size and hash; None if none were made."""
    error: str | None = None
    """Code of the error if it can't be read."""
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class TextSize:
    """Size of a stored text."""

    sha256: str
    chars: int


_PUT = """
    INSERT INTO file_texts (sha256, reader, text, chars, pages, truncated, without_text, encoding, language, pictures,
                            error, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (sha256, reader) DO UPDATE SET
        text = excluded.text, chars = excluded.chars, pages = excluded.pages, truncated = excluded.truncated,
        without_text = excluded.without_text, encoding = excluded.encoding, language = excluded.language,
        pictures = excluded.pictures, error = excluded.error, created_at = excluded.created_at
"""


def put(conn: Connection, new: FileText) -> None:
    """Store what was read, in place of what the same reader has read before."""
    text = clean(new.text)
    values = (
        new.sha256,
        new.reader,
        text,
        max(new.chars, len(text)),
        new.pages,
        int(new.truncated),
        new.without_text,
        new.encoding,
        new.language,
        None if new.pictures is None else dumps(new.pictures),
        new.error,
        new.created_at,
    )
    conn.execute(_PUT, values)


def get(conn: Connection, sha256: str, reader: str) -> FileText | None:
    """Return what a reader has read of a content; None if it has not read it yet."""
    cursor = conn.execute("SELECT * FROM file_texts WHERE sha256 = ? AND reader = ?", (sha256, reader))
    return read_one(FileText, cursor)


def sizes(conn: Connection, hashes: Collection[str]) -> list[TextSize]:
    """Return the sizes of the texts of some contents: the longest of each."""
    cursor = conn.execute(
        "SELECT sha256, max(chars) AS chars FROM file_texts WHERE sha256 IN (SELECT value FROM json_each(?))"
        " GROUP BY sha256",
        (dumps(sorted(hashes)),),
    )
    return read_all(TextSize, cursor)
