"""Table ``files``: a row for each attachment; attachments with equal content share one blob on disk."""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from tgllm.db.engine.rows import clean, dumps, read_all, read_one

__all__ = ["File", "NewFile", "add", "delete", "get", "link", "of_message", "path_of", "prune"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """An attachment to store."""

    path: str
    """Path of the blob, relative to the data folder."""
    mime: str
    size: int
    """In bytes."""
    sha256: str
    """SHA-256 of the content, in lower-case hex."""
    original_name: str | None
    """File name given by the sender; never used as a path."""
    user_id: int | None
    message_id: int | None = None
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A stored attachment; the fields are the columns of the table ``files``."""

    id: int
    request_id: int | None
    message_id: int | None
    user_id: int | None
    path: str
    mime: str
    size: int
    sha256: str
    original_name: str | None
    created_at: int


def add(conn: sqlite3.Connection, new: NewFile, now: int) -> int:
    """Store an attachment and return its id."""
    cursor = conn.execute(
        "INSERT INTO files (request_id, message_id, user_id, path, mime, size, sha256, original_name, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            new.request_id,
            new.message_id,
            new.user_id,
            new.path,
            new.mime,
            new.size,
            new.sha256,
            None if new.original_name is None else clean(new.original_name),
            now,
        ),
    )
    return int(cursor.fetchone()[0])


def link(conn: sqlite3.Connection, file_ids: Collection[int], message_id: int, request_id: int | None) -> None:
    """Link attachments to a message, and to a model call unless they are linked to an earlier one."""
    conn.execute(
        "UPDATE files SET message_id = ?, request_id = coalesce(request_id, ?)"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (message_id, request_id, dumps(sorted(file_ids))),
    )


def get(conn: sqlite3.Connection, file_id: int) -> File | None:
    """Return an attachment; None if there is none with that id."""
    return read_one(File, conn.execute("SELECT * FROM files WHERE id = ?", (file_id,)))


def of_message(conn: sqlite3.Connection, message_id: int) -> list[File]:
    """Return the attachments of a message, in the order in which they were received."""
    return read_all(File, conn.execute("SELECT * FROM files WHERE message_id = ? ORDER BY id", (message_id,)))


def path_of(conn: sqlite3.Connection, sha256: str) -> str | None:
    """Return the path of the blob with that content; None if no attachment has it."""
    row = conn.execute("SELECT path FROM files WHERE sha256 = ? ORDER BY id LIMIT 1", (sha256,)).fetchone()
    return None if row is None else str(row[0])


def delete(conn: sqlite3.Connection, file_id: int) -> str | None:
    """Delete an attachment.

    Returns:
        The path of its blob if no other attachment uses it, for the caller to remove after the commit.
    """
    cursor = conn.execute("DELETE FROM files WHERE id = ? RETURNING path, sha256", (file_id,))
    rows = cursor.fetchall()
    return None if not rows or path_of(conn, rows[0]["sha256"]) is not None else str(rows[0]["path"])


def prune(conn: sqlite3.Connection, before: int) -> list[str]:
    """Delete attachments received before ``before``; return the paths of the blobs that are no longer used."""
    rows = conn.execute("SELECT id FROM files WHERE created_at < ? ORDER BY id", (before,)).fetchall()
    paths = [delete(conn, row[0]) for row in rows]
    return [path for path in paths if path is not None]
