"""Files of results, kept until the answer is sent."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from tgllm.api import FileDelta, JsonObject, OutgoingFile
from tgllm.observe.logs import get_logger
from tgllm.services.files.made import MOST_FILE_BYTES, MOST_FILES, keep_made
from tgllm.services.files.storage.store import FileStorage

__all__ = ["keep_files", "outgoing"]

log = get_logger(__name__)


async def keep_files(files: object, storage: FileStorage | None) -> Sequence[JsonObject]:
    """Write the files of a result to the storage; those that can't be kept are left out.

    What no answer refers to is removed a day later, as other contents are.
    """
    # A plugin may give a value of any type.
    if not isinstance(files, list | tuple) or not files or storage is None:
        return ()
    given = cast("Sequence[object]", files)
    sound = [file for file in given[:MOST_FILES] if _is_sound(file)]
    read = await asyncio.to_thread(_read_all, cast("list[OutgoingFile]", sound))
    kept, lost = await keep_made(read, storage)
    if lost or len(read) < len(given):
        log.warning("tool.files_left_out", count=len(given) - len(kept))
    return [{"path": file.path, "name": file.part.name or "", "mime": file.part.mime_type} for file in kept]


def _is_sound(file: object) -> bool:
    """Whether a plugin has given a file with fields of the right types."""
    if not isinstance(file, OutgoingFile):
        return False
    content, name, mime = (getattr(file, field) for field in ("content", "name", "mime_type"))
    return isinstance(content, bytes | Path) and isinstance(name, str) and isinstance(mime, str)


def _read_all(files: Iterable[OutgoingFile]) -> list[FileDelta]:
    read: list[FileDelta] = []
    for file in files:
        try:
            if isinstance(file.content, Path) and file.content.stat().st_size > MOST_FILE_BYTES:
                continue
            content = file.content.read_bytes() if isinstance(file.content, Path) else file.content
        except (OSError, ValueError) as error:
            # ValueError: a path with a NUL character.
            log.warning("tool.file_unreadable", error=type(error).__name__)
            continue
        if 0 < len(content) <= MOST_FILE_BYTES:
            read.append(FileDelta(content, file.mime_type, file.name))
    return read


def outgoing(kept: Iterable[Mapping[str, Any]], storage: FileStorage | None) -> tuple[OutgoingFile, ...]:
    """Return kept files as files to send."""
    if storage is None:
        return ()
    found = [
        OutgoingFile(str(file.get("name")), storage.path(str(file.get("path"))).absolute(), str(file.get("mime")))
        for file in kept
    ]
    return tuple(found[:MOST_FILES])
