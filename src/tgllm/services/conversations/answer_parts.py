"""Files of stored answers: how a message refers to them, and what a model gets of them later."""

from collections.abc import Collection, Mapping, Sequence

from tgllm.api import FilePart, JsonObject, ModelRef
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.contexts import HistoryMessage
from tgllm.db.tables import files
from tgllm.services.files.storage.store import FileStorage

__all__ = ["file_part", "files_of_answers", "named_files"]


def file_part(mime: str, name: str | None) -> JsonObject:
    """Return how a message's ``parts`` refer to a file."""
    return {"type": "file", "mime": mime, "name": name}


def named_files(message: HistoryMessage) -> str:
    """Return the names of a message's files in brackets, for models that don't get the files; empty without any."""
    names = [str(part.get("name") or part.get("mime")) for part in message.parts if part.get("type") == "file"]
    return "\n".join(f"[{name}]" for name in names)


def files_of_answers(
    conn: Connection,
    history: Sequence[HistoryMessage],
    model: ModelRef,
    mime_types: Collection[str],
    storage: FileStorage | None,
) -> Mapping[int, tuple[FilePart, ...]]:
    """Return the files that a model made earlier and takes as input, by message; they are there to be changed."""
    ids = [row.id for row in history if row.parts_json and _is_by(row, model)]
    if not ids or not mime_types or storage is None:
        return {}
    found = files.of_messages(conn, ids)
    return {
        message_id: tuple(
            FilePart(storage.path(file.path).absolute(), file.mime, file.size, file.sha256, file.original_name)
            for file in found
            if file.message_id == message_id and _takes(mime_types, file.mime)
        )
        for message_id in ids
    }


def _is_by(row: HistoryMessage, model: ModelRef) -> bool:
    return row.role == "assistant" and (row.provider, row.model) == (model.provider, model.model)


def _takes(mime_types: Collection[str], mime: str) -> bool:
    return not {mime, f"{mime.partition('/')[0]}/*", "*/*"}.isdisjoint(mime_types)
