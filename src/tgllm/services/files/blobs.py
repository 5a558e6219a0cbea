"""Blobs: contents of files on disk, named by random ids and never by what a sender says.

A download grows in ``<id>.part``; it is complete once it is renamed to ``<id>``. What is derived from a blob, such as a
smaller picture, lies beside it as ``<id>.<variant>`` and goes with it.
"""

import asyncio
import errno
import hashlib
import os
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tgllm.api import FileUnreadable
from tgllm.db.file.probe import free_bytes
from tgllm.db.file.swap import sync_folder
from tgllm.observe.logs import get_logger
from tgllm.services.files.storage.folder import FOLDER, PART
from tgllm.services.files.storage.remote import StorageUnavailable
from tgllm.services.files.storage.store import FileStorage

__all__ = ["Blob", "BlobStore", "BlobWriter", "Room", "file_digest"]

log = get_logger(__name__)

_BUFFER = 2**18
"""Bytes that are collected before a thread writes them."""
_CHECKED_EVERY = 2**22
"""Bytes after which the free disk space is checked again."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

FreeBytes = Callable[[Path], int]
"""Returns the free bytes of the disk that holds a folder."""


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex. Blocks: it reads the file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Blob:
    """A complete download, which has its final name only after ``BlobStore.keep``."""

    part: Path
    size: int
    sha256: str

    @property
    def path(self) -> str:
        """Its path once it is kept, relative to the data folder."""
        return f"{FOLDER}/{self.part.name.removesuffix(PART)}"


@dataclass(frozen=True, slots=True)
class Room:
    """Limits of a download."""

    name: str
    """File name for messages."""
    most: int
    """Maximum size in bytes."""
    keep_free: int
    """Bytes of the disk that stay free."""

    def check_size(self, size: int) -> None:
        """Check a size in bytes.

        Raises:
            FileUnreadable: it is above the limit.
        """
        if size > self.most:
            raise FileUnreadable(
                f"the file has more than {self.most} bytes",
                code="file_too_large",
                name=self.name,
                limit_bytes=self.most,
            )

    def disk_full(self) -> FileUnreadable:
        """Return the error for a full disk."""
        return FileUnreadable("the disk is full", code="file_disk_full", name=self.name)


class BlobStore:
    """The blobs in the storage of files."""

    def __init__(self, storage: FileStorage, *, keep_free: int = 0, free: FreeBytes = free_bytes) -> None:
        """Use a storage.

        Args:
            storage: where the blobs are.
            keep_free: bytes of the disk that stay free.
            free: returns the free bytes.
        """
        self._storage = storage
        self._keep_free = keep_free
        self._free = free

    def path(self, relative: str) -> Path:
        """Return the path of a blob."""
        return self._storage.path(relative)

    async def has(self, relative: str | Path, size: int, name: str = "") -> bool:
        """Return whether a blob is there with its size; it is on disk then.

        Args:
            relative: its path.
            size: in bytes.
            name: file name for messages.

        Raises:
            FileUnreadable: the storage can't be reached.
        """
        try:
            return await self._storage.fetch(relative, size) is not None
        except StorageUnavailable as error:
            raise _storage_away(error, name) from error

    async def is_stored(self, relative: str, size: int) -> bool:
        """Return whether a blob is stored, with its size, without fetching it.

        Raises:
            FileUnreadable: the storage can't be reached.
        """
        try:
            return await self._storage.is_stored(relative, size)
        except StorageUnavailable as error:
            raise _storage_away(error, "") from error

    def writer(self, name: str, most: int) -> "BlobWriter":
        """Return the target of a download.

        Args:
            name: file name for messages.
            most: maximum size in bytes.
        """
        part = self.path(FOLDER) / f"{uuid.uuid4().hex}{PART}"
        return BlobWriter(part, Room(name, most, self._keep_free), self._free)

    async def keep(self, blob: Blob) -> None:
        """Give a download its final name, and store it, before its row is committed.

        Raises:
            FileUnreadable: the storage can't be reached; nothing is kept then.
        """
        await asyncio.to_thread(_keep, blob.part, self.path(blob.path))
        await self.store(blob.path)

    async def store(self, relative: str, name: str = "") -> None:
        """Store what is complete on disk.

        Raises:
            FileUnreadable: the storage can't be reached; nothing is kept then.
        """
        try:
            await self._storage.put_or_remove(relative)
        except StorageUnavailable as error:
            raise _storage_away(error, name) from error

    async def discard(self, relative: str) -> None:
        """Remove a blob that has no row."""
        await self._storage.remove([relative])


class BlobWriter:
    """Target of one download: implements ``Download``. An asynchronous context manager, which removes what is left."""

    def __init__(self, part: Path, room: Room, free: FreeBytes) -> None:
        self._part = part
        self._room = room
        self._free = free
        self._buffer = bytearray()
        self._written = 0
        self._checked = 0
        self._hash = hashlib.sha256()
        self._file: BinaryIO | None = None
        # Cancellation does not end a thread that is writing; the next one waits for it.
        self._lock = threading.Lock()
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Also after a cancellation: shielded, since a second one must not leave the file behind.
        await asyncio.shield(asyncio.to_thread(self._drop))

    @property
    def size(self) -> int:
        """Bytes that were written so far."""
        return self._written + len(self._buffer)

    async def begin(self, claimed: int | None) -> None:
        """Check the claimed size and the disk, before anything is downloaded.

        Raises:
            FileUnreadable: the file is larger than allowed, or the disk has too little room for it.
        """
        self._room.check_size(claimed or 0)
        await asyncio.to_thread(self._begin, claimed or 0)

    async def write(self, chunk: bytes) -> None:
        """Append a chunk.

        Raises:
            FileUnreadable: the file is larger than allowed, or the disk is full.
        """
        self._room.check_size(self.size + len(chunk))
        self._buffer += chunk
        if len(self._buffer) >= _BUFFER:
            await self._flush()

    async def restart(self) -> None:
        """Drop what was written."""
        self._buffer.clear()
        await asyncio.to_thread(self._truncate)
        self._written = self._checked = 0
        self._hash = hashlib.sha256()

    async def finish(self) -> Blob:
        """Write the rest to disk, and return the blob, which ``BlobStore.keep`` has to keep before the context ends.

        Raises:
            FileUnreadable: the file is empty, or the disk is full.
        """
        if not self.size:
            raise FileUnreadable("the file is empty", code="file_empty", name=self._room.name)
        await self._flush()
        await asyncio.to_thread(self._sync)
        return Blob(self._part, self._written, self._hash.hexdigest())

    async def _flush(self) -> None:
        chunk = bytes(self._buffer)
        self._buffer.clear()
        await asyncio.to_thread(self._append, chunk)
        self._written += len(chunk)

    def _begin(self, claimed: int) -> None:
        with self._lock:
            self._open()
            self._check_disk(claimed)

    def _append(self, chunk: bytes) -> None:
        with self._lock:
            file = self._open()
            if self._written + len(chunk) - self._checked >= _CHECKED_EVERY:
                self._checked = self._written + len(chunk)
                self._check_disk(len(chunk))
            try:
                file.write(chunk)
            except OSError as error:
                raise self._explained(error) from error
            self._hash.update(chunk)

    def _sync(self) -> None:
        with self._lock:
            file = self._open()
            try:
                os.fsync(file.fileno())
            except OSError as error:
                raise self._explained(error) from error

    def _truncate(self) -> None:
        with self._lock:
            file = self._open()
            file.seek(0)
            file.truncate()

    def _open(self) -> BinaryIO:
        if self._is_closed:
            raise ValueError("the download is closed")
        if self._file is None:
            try:
                self._part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except OSError as error:
                raise self._explained(error) from error
            # Unbuffered: a failed write may be followed by others.
            self._file = os.fdopen(descriptor, "wb", buffering=0)
        return self._file

    def _check_disk(self, needed: int) -> None:
        if self._free(self._part.parent) - needed < self._room.keep_free:
            raise self._room.disk_full()

    def _explained(self, error: OSError) -> Exception:
        if error.errno in _FULL:
            return self._room.disk_full()
        log.warning("files.write_failed", error=repr(error))
        return FileUnreadable("the file can't be stored", code="file_not_received", name=self._room.name)

    def _drop(self) -> None:
        with self._lock:
            self._is_closed = True
            if self._file is not None:
                self._file.close()
            # A kept download has another name by now.
            with suppress(FileNotFoundError):
                self._part.unlink()


def _storage_away(error: StorageUnavailable, name: str) -> FileUnreadable:
    log.warning("files.storage_away", error=str(error))
    return FileUnreadable("the storage of files can't be reached", code="file_storage_away", name=name)


def _keep(part: Path, path: Path) -> None:
    part.replace(path)
    # The new name has to survive a power cut, like the row that is committed next.
    sync_folder(path.parent)
