"""Table ``files``: a row for each attachment; attachments with equal content share one blob on disk."""

from collections.abc import Collection
from dataclasses import dataclass

from tgllm.db.engine.rows import clean, dumps, new_id, read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = [
    "File",
    "NewFile",
    "add",
    "copy",
    "delete",
    "get",
    "link",
    "list_by_id",
    "of_message",
    "of_messages",
    "of_turn",
    "path_of",
    "paths_among",
    "prune_unlinked",
    "replace_path",
    "same_in_conversation",
    "with_key",
]


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
    turn_id: str | None = None
    """The turn in which it was received."""
    position: int = 0
    """Place among the attachments of the turn."""
    kind: str = "document"
    """How it was sent, such as ``photo`` or ``voice``."""
    key: str | None = None
    """Telegram's id of the content, the same wherever it is sent (file_unique_id)."""
    seconds: float | None = None
    """Duration of a recording or video, as claimed."""


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
    turn_id: str | None
    position: int
    kind: str
    key: str | None
    seconds: float | None


_ADD = """
    INSERT INTO files (request_id, message_id, user_id, path, mime, size, sha256, original_name, created_at,
                       turn_id, position, kind, key, seconds)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    RETURNING id
"""


def add(conn: Connection, new: NewFile, now: int) -> int:
    """Store an attachment and return its id."""
    cursor = conn.execute(
        _ADD,
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
            new.turn_id,
            new.position,
            new.kind,
            new.key,
            new.seconds,
        ),
    )
    return new_id(cursor)


_COPY = """
    INSERT INTO files (message_id, user_id, path, mime, size, sha256, original_name, created_at,
                       position, kind, key, seconds)
    SELECT :message, user_id, path, mime, size, sha256, original_name, :now, position, kind, key, seconds
    FROM files WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY position, id
"""


def copy(conn: Connection, file_ids: Collection[int], message_id: int, now: int) -> None:
    """Attach files to a further message, such as a question that is asked again. Deleted ones are left out."""
    conn.execute(_COPY, {"ids": dumps(sorted(file_ids)), "message": message_id, "now": now})


def link(conn: Connection, file_ids: Collection[int], message_id: int, request_id: int | None) -> None:
    """Link attachments to a message, and to a model call unless they are linked to an earlier one."""
    conn.execute(
        "UPDATE files SET message_id = ?, request_id = coalesce(request_id, ?)"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (message_id, request_id, dumps(sorted(file_ids))),
    )


def get(conn: Connection, file_id: int) -> File | None:
    """Return an attachment; None if there is none with that id."""
    return read_one(File, conn.execute("SELECT * FROM files WHERE id = ?", (file_id,)))


def of_message(conn: Connection, message_id: int) -> list[File]:
    """Return the attachments of a message, in the order in which they were sent."""
    cursor = conn.execute("SELECT * FROM files WHERE message_id = ? ORDER BY position, id", (message_id,))
    return read_all(File, cursor)


def of_messages(conn: Connection, message_ids: Collection[int]) -> list[File]:
    """Return the attachments of some messages; those of one message in the order in which they were sent."""
    cursor = conn.execute(
        "SELECT * FROM files WHERE message_id IN (SELECT value FROM json_each(?)) ORDER BY message_id, position, id",
        (dumps(sorted(message_ids)),),
    )
    return read_all(File, cursor)


def same_in_conversation(conn: Connection, conversation_id: int, sha256: str) -> list[File]:
    """Return all attachments of a conversation with that content."""
    cursor = conn.execute(
        "SELECT files.* FROM files JOIN messages ON messages.id = files.message_id"
        " WHERE files.sha256 = ? AND messages.conversation_id = ? ORDER BY files.id",
        (sha256, conversation_id),
    )
    return read_all(File, cursor)


def of_turn(conn: Connection, turn_id: str) -> list[File]:
    """Return the attachments that were received in a turn, in order."""
    return read_all(File, conn.execute("SELECT * FROM files WHERE turn_id = ? ORDER BY position, id", (turn_id,)))


def list_by_id(conn: Connection, file_ids: Collection[int]) -> list[File]:
    """Return attachments by their ids, in the order in which they were sent; deleted ones are left out."""
    cursor = conn.execute(
        "SELECT * FROM files WHERE id IN (SELECT value FROM json_each(?)) ORDER BY position, id",
        (dumps(sorted(file_ids)),),
    )
    return read_all(File, cursor)


def with_key(conn: Connection, key: str) -> File | None:
    """Return the latest attachment with that content, by Telegram's id of it; None if there is none."""
    return read_one(File, conn.execute("SELECT * FROM files WHERE key = ? ORDER BY id DESC LIMIT 1", (key,)))


def path_of(conn: Connection, sha256: str) -> str | None:
    """Return the path of the blob with that content; None if no attachment has it."""
    row = conn.execute("SELECT path FROM files WHERE sha256 = ? ORDER BY id LIMIT 1", (sha256,)).fetchone()
    return None if row is None else str(row[0])


def replace_path(conn: Connection, path: str, new_path: str) -> None:
    """Move all attachments of a blob to another one with the same content."""
    conn.execute("UPDATE files SET path = ? WHERE path = ?", (new_path, path))


def paths_among(conn: Connection, paths: Collection[str]) -> set[str]:
    """Return those of the paths that belong to an attachment."""
    cursor = conn.execute(
        "SELECT DISTINCT path FROM files WHERE path IN (SELECT value FROM json_each(?))", (dumps(sorted(paths)),)
    )
    return {str(row[0]) for row in cursor}


def delete(conn: Connection, file_id: int) -> str | None:
    """Delete an attachment.

    Returns:
        The path of its blob if no other attachment uses it, for the caller to remove after the commit.
    """
    cursor = conn.execute("DELETE FROM files WHERE id = ? RETURNING path, sha256", (file_id,))
    rows = cursor.fetchall()
    if not rows:
        return None
    path, sha256 = str(rows[0]["path"]), rows[0]["sha256"]
    # The same content may have two blobs, if it came twice at the same time.
    used = conn.execute("SELECT 1 FROM files WHERE sha256 = ? AND path = ? LIMIT 1", (sha256, path)).fetchone()
    return None if used else path


def prune_unlinked(conn: Connection, before: int, limit: int) -> tuple[int, list[str]]:
    """Delete attachments from before ``before`` whose question was never stored.

    Returns:
        Their number, and the paths of the blobs that are no longer used.
    """
    rows = conn.execute(
        "SELECT id FROM files WHERE message_id IS NULL AND created_at < ? ORDER BY created_at LIMIT ?", (before, limit)
    ).fetchall()
    paths = [delete(conn, row[0]) for row in rows]
    return len(rows), [path for path in paths if path is not None]
