"""Files of a conversation, as people see and remove them: the same content is one file."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tgllm.db.engine.unit import Connection
from tgllm.db.queries import contexts
from tgllm.db.queries.contexts import HistoryMessage
from tgllm.db.tables import conversations, file_texts, files, messages
from tgllm.db.tables.files import File
from tgllm.services.conversations.loader import MOST_MESSAGES

__all__ = ["KeptFile", "kept_files", "remove_file"]


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of the current branch of a conversation."""

    file: File
    """The latest of its attachments."""
    owner_ids: frozenset[int | None]
    """Who has sent it; for a file that the model has made, who has asked for it."""
    is_made: bool
    """Whether the model has made it."""
    chars: int
    """Characters of text that were read of it; 0 if none were."""
    telegram_ids: frozenset[int]
    """Messages in the chat that it belongs to."""


def kept_files(conn: Connection, lane: str) -> Sequence[KeptFile]:
    """Return the files of the active conversation of a lane, the latest first."""
    branch = _branch(conn, lane)
    found: dict[str, list[File]] = {}
    for file in files.of_messages(conn, list(branch)):
        found.setdefault(file.sha256, []).append(file)
    chars = {each.sha256: each.chars for each in file_texts.sizes(conn, list(found))}
    listed = [_kept(same, branch, chars.get(sha256, 0)) for sha256, same in found.items()]
    return sorted(listed, key=lambda kept: (kept.file.message_id or 0, -kept.file.position), reverse=True)


def remove_file(conn: Connection, lane: str, file_id: int) -> Sequence[str]:
    """Remove a file from the active conversation of a lane, wherever it is attached there.

    Returns:
        Paths of blobs that are no longer used, for the caller to remove after the commit.
    """
    file, conversation = files.get(conn, file_id), conversations.active_in(conn, lane)
    if file is None or conversation is None:
        return ()
    same = files.same_in_conversation(conn, conversation.id, file.sha256)
    for message_id in {each.message_id for each in same if each.message_id is not None}:
        keys = {each.key for each in same if each.message_id == message_id}
        _forget(conn, message_id, keys)
    paths = [files.delete(conn, each.id) for each in same]
    return [path for path in paths if path is not None]


def _branch(conn: Connection, lane: str) -> dict[int, HistoryMessage]:
    conversation = conversations.active_in(conn, lane)
    if conversation is None:
        return {}
    rows = contexts.with_files(conn, conversation.id, conversation.head_message_id, most=MOST_MESSAGES)
    return {row.id: row for row in rows}


def _kept(same: Sequence[File], branch: dict[int, HistoryMessage], chars: int) -> KeptFile:
    latest = max(same, key=lambda file: (file.message_id or 0, file.id))
    rows = [branch[file.message_id] for file in same if file.message_id in branch]
    return KeptFile(
        latest,
        frozenset(file.user_id for file in same),
        is_made=all(row.role == "assistant" for row in rows),
        chars=chars,
        telegram_ids=frozenset(number for row in rows for number in row.telegram_message_ids),
    )


def _forget(conn: Connection, message_id: int, keys: Collection[str | None]) -> None:
    """Remove a file from the parts of its message, by which a question that is asked again would receive it again."""
    row = messages.get(conn, message_id)
    if row is None or row.role != "user":
        return
    left = [part for part in row.parts if part.get("key") not in keys]
    if len(left) < len(row.parts):
        messages.set_parts(conn, message_id, left)
