"""Contents of files for all parts of the bot: written here, and read here wherever they were written."""

import asyncio
import os
import re
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from tgllm.api.clock import SystemClock
from tgllm.observe.logs import get_logger
from tgllm.services.files.storage.folder import FOLDER, has_file, remove_blobs
from tgllm.services.files.storage.remote import Remote, RemoteFile, StorageUnavailable

__all__ = ["FileStorage"]

log = get_logger(__name__)

T = TypeVar("T")

_STORED: Final = re.compile(rf"(?<![^/]){FOLDER}/(?:exports/)?[0-9a-f]{{32}}(?:\.[a-z0-9-]+)?$")
"""Name of a stored file, at the end of its path on any machine."""

AT_ONCE: Final = 8
"""Calls of the remote storage at the same time."""
CALL_SECONDS: Final = 300.0
"""Time limit of one call with its repetitions, and its wait for a thread. Each answer has shorter ones."""


class FileStorage:
    """The contents of files.

    Without a remote storage they are in the data folder, which may be on a volume that several machines share. With
    one, the data folder holds copies: contents never change, so a copy is as good as the original, and one that is
    missing is fetched.

    What is written, in this order, and what a crash after each step costs: the local file (an unused file, which the
    sweep removes), the remote one (the same, in both places), the row that names it (nothing).
    """

    def __init__(self, data_dir: Path, remote: Remote | None = None, *, is_shared: bool = False) -> None:
        """Use a data folder.

        Args:
            data_dir: the bot's data folder.
            remote: where the originals are; None: in the data folder.
            is_shared: whether other processes of the bot may use the same data folder.
        """
        self.data_dir = data_dir
        self.is_shared = is_shared
        self._remote = remote
        # Threads of its own: a remote storage without an answer must not hold those that read and write the disk.
        self._threads = None if remote is None else ThreadPoolExecutor(AT_ONCE, "file-storage")
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def is_remote(self) -> bool:
        """Whether the data folder holds copies only."""
        return self._remote is not None

    def path(self, path: str | Path) -> Path:
        """Return where a file is, or will be once it is fetched."""
        return self.data_dir / path

    async def put(self, *paths: str | Path) -> None:
        """Store files that are complete in the data folder, before the rows that name them are committed.

        Raises:
            StorageUnavailable: a file can't be stored.
            OSError: a file can't be read.
        """
        if (remote := self._remote) is None:
            return
        for path in paths:
            name, source = self._name(path), self.path(path)
            await self._call(lambda name=name, source=source: remote.put(name, source))

    async def put_or_remove(self, *paths: str | Path) -> None:
        """Store files as ``put`` does, and remove them from the data folder if that fails or is cancelled."""
        try:
            await self.put(*paths)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(remove_blobs, self.data_dir, paths))
            raise

    async def fetch(self, path: str | Path, size: int | None = None) -> Path | None:
        """Return where a file is on this machine, fetched if necessary.

        Args:
            path: relative to the data folder, or absolute, also as another machine has written it.
            size: its size in bytes, if it is known.

        Returns:
            None if there is no such file, or one of another size.

        Raises:
            StorageUnavailable: it is not in the data folder and can't be fetched.
        """
        whole = self.path(path)
        if await asyncio.to_thread(self._note_use, whole, size):
            return whole
        if (remote := self._remote) is None or (name := self._name_in_storage(path)) is None:
            return None
        copy = self.path(name)
        # One download at a time for each file.
        async with self._locks.setdefault(name, asyncio.Lock()):
            if await asyncio.to_thread(self._note_use, copy, size):
                return copy
            is_found = await self._call(lambda: remote.get(name, copy))
            return copy if is_found and await asyncio.to_thread(has_file, copy, size) else None

    async def is_stored(self, path: str, size: int | None = None) -> bool:
        """Return whether a file is stored where all machines find it; it is not fetched.

        Raises:
            StorageUnavailable: that can't be found out.
        """
        if (remote := self._remote) is None:
            return await asyncio.to_thread(has_file, self.path(path), size)
        return await self._call(lambda: remote.has(path))

    async def remove(self, paths: Collection[str | Path]) -> None:
        """Remove contents with what is derived from them, as far as they exist.

        What can't be removed from the remote storage is logged; no row names it any more, so the sweep removes it.

        Raises:
            OSError: a file of the data folder can't be removed.
        """
        if not paths:
            return
        await asyncio.to_thread(remove_blobs, self.data_dir, paths)
        if (remote := self._remote) is None:
            return
        names = [name for name in map(self._name_in_storage, paths) if name is not None]
        try:
            await self._call(lambda: remote.remove_all(names))
        except StorageUnavailable as error:
            log.warning("files.not_removed", count=len(names), error=str(error))

    async def remote_files(self, beginning: str, wanted: Callable[[RemoteFile], bool]) -> list[RemoteFile]:
        """Return the files of the remote storage whose paths begin so; none without a remote storage.

        Raises:
            StorageUnavailable: they can't be listed.
        """
        if (remote := self._remote) is None:
            return []
        return await self._call(lambda: [*filter(wanted, remote.files(beginning))])

    async def check(self, bot_id: int | None, *, claims: bool = False) -> None:
        """Check that the remote storage can be used.

        Args:
            bot_id: id of the bot; None: unknown.
            claims: whether a storage that belongs to no bot belongs to this one from now on.

        Raises:
            StorageUnavailable: it can't be used now.
            StorageRefused: it refuses the bot; the message says what to do.
        """
        if (remote := self._remote) is not None:
            await self._call(lambda: remote.check(bot_id, claims=claims))

    async def aclose(self) -> None:
        """Close the connections; calls that wait are given up."""
        if self._threads is not None and self._remote is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._remote.close()

    def _note_use(self, path: Path, size: int | None) -> bool:
        """Return whether a file is there, and note the time at which a copy was needed, for the limit of the copies."""
        if not has_file(path, size):
            return False
        if self._remote is not None:
            try:
                # Not the time of the last change, by which left-over files are found.
                os.utime(path, (SystemClock().now(), path.stat().st_mtime))
            except FileNotFoundError:
                return False
        return True

    def _name(self, path: str | Path) -> str:
        """Return a path relative to the data folder."""
        return self.path(path).absolute().relative_to(self.data_dir.absolute()).as_posix()

    def _name_in_storage(self, path: str | Path) -> str | None:
        """Return the name of a stored file, also by the path that it has on another machine; None for other files."""
        found = _STORED.search(Path(path).as_posix())
        return None if found is None else found[0]

    async def _call(self, call: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except TimeoutError as error:
            raise StorageUnavailable("the storage of files takes too long") from error
