"""Files that a model has made: collected from its stream, and written to disk before the answer is stored."""

import asyncio
import hashlib
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from tgllm.api import FileDelta, FilePart
from tgllm.observe.logs import get_logger
from tgllm.services.files.outgoing_names import mime_of, outgoing_name
from tgllm.services.files.picture_size import picture_of
from tgllm.services.files.storage.store import FileStorage

__all__ = ["MOST_BYTES", "MOST_FILES", "MOST_FILE_BYTES", "Gathered", "MadeFile", "keep_made"]

MOST_FILES: Final = 10
"""Most files of one answer."""
MOST_FILE_BYTES: Final = 50 * 2**20
"""Largest file. Bot API: sendDocument."""
MOST_BYTES: Final = 100 * 2**20
"""Most bytes of all files of one answer."""

_FOLDER = "files"

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file of an answer, on disk."""

    part: FilePart
    path: str
    """Relative to the data folder."""


class Gathered:
    """Files of an answer, while it is received, up to the limits."""

    def __init__(self) -> None:
        """Begin without files."""
        self.files: list[FileDelta] = []
        self.left_out = 0
        """Files that exceed the limits."""
        self._bytes = 0

    def add(self, file: FileDelta) -> bool:
        """Add a file; return whether it is within the limits. An empty file is ignored.

        Raises:
            TypeError: a field of the event has the wrong type.
        """
        # A plugin may not be type-checked.
        for value, kind in ((file.content, bytes), (file.mime_type, str), (file.name, str | None)):
            if not isinstance(value, kind):
                raise TypeError(f"a FileDelta holds a {type(value).__name__} where {kind} belongs")
        size = len(file.content)
        if not size:
            return False
        if len(self.files) >= MOST_FILES or size > MOST_FILE_BYTES or self._bytes + size > MOST_BYTES:
            self.left_out += 1
            return False
        self._bytes += size
        self.files.append(file)
        return True


async def keep_made(files: Sequence[FileDelta], storage: FileStorage) -> tuple[Sequence[MadeFile], int]:
    """Write the files of an answer to the storage. Two equal files are one.

    Returns:
        The files on disk, and how many could not be written, such as to a full disk.
    """
    written, lost = await asyncio.to_thread(_keep_all, files, storage.data_dir)
    stored: list[MadeFile] = []
    for made in written:
        try:
            await storage.put_or_remove(made.path)
        except OSError as error:
            log.error("answer.file_not_written", error=str(error))
        else:
            stored.append(made)
    return stored, lost + len(written) - len(stored)


def _keep_all(files: Sequence[FileDelta], data_dir: Path) -> tuple[list[MadeFile], int]:
    by_content: dict[str, FileDelta] = {}
    for file in files:
        by_content.setdefault(hashlib.sha256(file.content).hexdigest(), file)
    made: list[MadeFile] = []
    for digest, file in by_content.items():
        try:
            made.append(_keep(file, digest, data_dir, len(made) + 1))
        except OSError as error:
            log.error("answer.file_not_written", error=type(error).__name__)
    return made, len(by_content) - len(made)


def _keep(file: FileDelta, digest: str, data_dir: Path, number: int) -> MadeFile:
    # What a service says about a picture may be wrong; the content decides how it can be sent.
    picture = picture_of(BytesIO(file.content))
    mime = mime_of(file.mime_type) if picture is None else picture.mime
    path = f"{_FOLDER}/{uuid.uuid4().hex}"
    whole = data_dir.absolute() / path
    whole.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        # On disk before the transaction that refers to it: after a power failure the answer is complete or absent.
        with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(file.content)
            out.flush()
            os.fsync(out.fileno())
    except OSError:
        whole.unlink(missing_ok=True)
        raise
    name = outgoing_name(file.name, mime, number)
    return MadeFile(FilePart(whole, mime, len(file.content), digest, name), path)
