"""Receiving of attachments: each is downloaded once, identified by its content, and stored with its turn."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tgllm.api import DatabaseError, FileUnreadable, TgllmError
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import files
from tgllm.db.tables.files import File, NewFile
from tgllm.observe.logs import get_logger
from tgllm.services.files.attachment import Attachment, Download, Downloader
from tgllm.services.files.blobs import Blob, BlobStore
from tgllm.services.files.true_names import shown_name, true_mime

__all__ = ["Arrival", "Begin", "Received", "Receiver"]

log = get_logger(__name__)

AT_ONCE = 3
"""Downloads of one turn that run at the same time."""
IDLE_SECONDS = 900.0
"""Time without any byte after which a download counts as failed. A local Bot API server answers only when it has the
whole file."""

Begin = Callable[[str], None]
"""Called with the name of a file before it is downloaded; must not block."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Whose attachments are received, and in which turn."""

    turn_id: str
    user_id: int | None


@dataclass(frozen=True, slots=True)
class Received:
    """Attachments of a turn."""

    files: Sequence[File] = ()
    """In the order in which they were sent."""
    failures: Sequence[FileUnreadable] = ()
    """Why the others could not be received; each has the parameter ``name``."""


class Receiver:
    """Receives attachments. A repeated call for a turn, as after a crash, downloads only what is missing."""

    def __init__(self, database: Database, store: BlobStore, clock: Clock, most_bytes: int) -> None:
        """Receive into a store; ``most_bytes`` is the largest size that is accepted."""
        self._database = database
        self._store = store
        self._clock = clock
        self._most_bytes = most_bytes

    async def receive(
        self, arrival: Arrival, attachments: Sequence[Attachment], downloader: Downloader, begin: Begin
    ) -> Received:
        """Receive the attachments of a turn.

        A file that can't be received is a value of the result.

        Raises:
            DatabaseError: the database can't be used.
        """
        places: dict[str, list[tuple[int, Attachment]]] = {}
        for position, attachment in enumerate(attachments):
            places.setdefault(attachment.key, []).append((position, attachment))
        slots = asyncio.Semaphore(AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._receive_same(arrival, same, downloader, begin, slots))
                    for same in places.values()
                ]
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        found = [each for task in tasks for each in task.result()]
        stored = [each for each in found if isinstance(each, File)]
        return Received(
            sorted(stored, key=lambda file: file.position),
            [each for each in found if isinstance(each, FileUnreadable)],
        )

    async def _receive_same(
        self,
        arrival: Arrival,
        same: Sequence[tuple[int, Attachment]],
        downloader: Downloader,
        begin: Begin,
        slots: asyncio.Semaphore,
    ) -> list[File | FileUnreadable]:
        """Receive attachments with the same content: the first one is downloaded, the others are known by then."""
        results: list[File | FileUnreadable] = []
        for position, attachment in same:
            name = shown_name(attachment.name, attachment.kind)
            try:
                known = await self._known(arrival, position, attachment)
                if known is None:
                    async with slots:
                        begin(name)
                        known = await self._download(arrival, position, attachment, downloader)
                results.append(known)
            except DatabaseError:
                raise
            except FileUnreadable as error:
                log.info("files.refused", turn=arrival.turn_id, code=error.code, error=str(error))
                results.append(_named(error, name))
            except (TgllmError, OSError) as error:
                log.warning("files.not_received", turn=arrival.turn_id, error=repr(error))
                results.append(FileUnreadable("the download failed", code="file_not_received", name=name))
        return results

    async def _known(self, arrival: Arrival, position: int, attachment: Attachment) -> File | None:
        """Return the file if this turn or an earlier one has received it, and its content is still on disk."""
        found = await self._database.read(lambda conn: _find(conn, arrival, position, attachment))
        if found is None or not await self._store.has(found.path, found.size):
            return None
        if found.turn_id == arrival.turn_id and found.position == position:
            return found
        new = _new(arrival, position, attachment, found.path, found.mime, found.size, found.sha256)
        now = milliseconds(self._clock)

        def unit(conn: Connection) -> File | None:
            # It may have been deleted meanwhile, and its content with it.
            return _add(conn, new, now) if files.get(conn, found.id) is not None else None

        return await self._database.write(unit)

    async def _download(self, arrival: Arrival, position: int, attachment: Attachment, downloader: Downloader) -> File:
        name = shown_name(attachment.name, attachment.kind)
        async with self._store.writer(name, min(self._most_bytes, downloader.most_bytes)) as writer:
            await writer.begin(attachment.size)
            try:
                async with asyncio.timeout(IDLE_SECONDS) as deadline:
                    await downloader.download(attachment, _Watched(writer, deadline))
            except TimeoutError as error:
                raise FileUnreadable("the download has stalled", code="file_not_received", name=name) from error
            blob = await writer.finish()
            mime = await asyncio.to_thread(true_mime, blob.part, attachment)
            await self._store.keep(blob)
        return await self._commit(arrival, position, attachment, blob, mime)

    async def _commit(self, arrival: Arrival, position: int, attachment: Attachment, blob: Blob, mime: str) -> File:
        """Store the row of a download; a content that is there already is not kept a second time."""
        new = _new(arrival, position, attachment, blob.path, mime, blob.size, blob.sha256)
        now = milliseconds(self._clock)
        try:
            stored: File | None = None
            while stored is None:
                shared = await self._database.read(lambda conn: files.path_of(conn, new.sha256))
                # Asked outside of the transaction, which must not wait for a server.
                is_there = shared is not None and await self._store.is_stored(shared, blob.size)
                unit = partial(_share, new=new, now=now, shared=shared, is_there=is_there)
                stored = await self._database.write(unit)
        except BaseException:
            # Without a row it would stay until the next sweep.
            await asyncio.shield(self._store.discard(blob.path))
            raise
        if stored.path != blob.path:
            await self._store.discard(blob.path)
        return stored


class _Watched:
    """Download that extends a deadline with each chunk."""

    def __init__(self, target: Download, deadline: asyncio.Timeout) -> None:
        self._target = target
        self._deadline = deadline

    @property
    def size(self) -> int:
        return self._target.size

    async def write(self, chunk: bytes) -> None:
        self._extend()
        await self._target.write(chunk)

    async def restart(self) -> None:
        self._extend()
        await self._target.restart()

    def _extend(self) -> None:
        if not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time() + IDLE_SECONDS)


def _named(error: FileUnreadable, name: str) -> FileUnreadable:
    # Downloads of what has no name of its own, such as photos, fail with an empty one.
    if error.params.get("name"):
        return error
    return FileUnreadable(str(error), code=error.code, **{**error.params, "name": name})


def _find(conn: Connection, arrival: Arrival, position: int, attachment: Attachment) -> File | None:
    for file in files.of_turn(conn, arrival.turn_id):
        if (file.position, file.key) == (position, attachment.key):
            return file
    return files.with_key(conn, attachment.key)


def _new(
    arrival: Arrival, position: int, attachment: Attachment, path: str, mime: str, size: int, sha256: str
) -> NewFile:
    return NewFile(
        path=path,
        mime=mime,
        size=size,
        sha256=sha256,
        original_name=attachment.name,
        user_id=arrival.user_id,
        turn_id=arrival.turn_id,
        position=position,
        kind=attachment.kind,
        key=attachment.key,
        seconds=attachment.seconds,
    )


def _add(conn: Connection, new: NewFile, now: int) -> File:
    added = files.get(conn, files.add(conn, new, now))
    assert added is not None  # noqa: S101  added in this transaction
    return added


def _share(conn: Connection, new: NewFile, now: int, shared: str | None, *, is_there: bool) -> File | None:
    """Store a row, with the path of an equal content if that is stored; None if that has changed meanwhile.

    Args:
        conn: an open transaction.
        new: the row, with a path of its own.
        now: UTC, in milliseconds.
        shared: path of the equal content, as it was found before the transaction.
        is_there: whether that content is stored.
    """
    if files.path_of(conn, new.sha256) != shared:
        return None
    if shared is not None and is_there:
        return _add(conn, replace(new, path=shared), now)
    if shared is not None:
        # Somebody has removed it; rows of the same content get it back.
        files.replace_path(conn, shared, new.path)
    return _add(conn, new, now)
