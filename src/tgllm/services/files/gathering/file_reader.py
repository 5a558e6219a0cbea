"""Texts of files, read by file handlers and transcribers, and stored so that each content is read once."""

import asyncio
import os
import uuid
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from tgllm.api import Extracted, ExtractionLimits, FileUnreadable, PagePicture, Recording
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.tables import file_texts
from tgllm.db.tables.file_texts import FileText
from tgllm.db.tables.files import File
from tgllm.observe.logs import get_logger
from tgllm.observe.metrics.table import FILES_READ
from tgllm.plugins.host import PluginHost
from tgllm.plugins.owned import OwnedFileHandler
from tgllm.services.files.blobs import BlobStore, file_digest
from tgllm.services.files.handlers import matching
from tgllm.services.files.storage.folder import PART
from tgllm.services.files.transcription import Transcription, install_transcriber, no_transcriber
from tgllm.services.files.true_names import shown_name
from tgllm.services.files.types import FileType, contradicts

__all__ = ["FileReader", "ReadLimits", "ReadTools", "TextPool", "TextStore"]

log = get_logger(__name__)

MOST_PICTURES = 10
"""Pictures of pages without text that are made of one file."""
_HOUR = 3_600_000
_KEPT_ERRORS = {"file_slow": _HOUR, "file_memory": _HOUR, "file_crashed": _HOUR}
"""How long a failure is kept, in milliseconds, before the file is read again; others for a day."""
_DAY = 24 * _HOUR
_MOST_REMEMBERED = 1000
_COUNT_SECONDS = 3.0
"""Time to count pages."""
_NOT_KEPT = frozenset(
    {"file_needs", "file_gone", "file_no_reader", "file_no_sight", "file_no_transcriber", "file_storage_away"}
)
"""Failures that end when something is installed, or answers again."""


class TextPool(Protocol):
    """Runs file handlers; see ``services.reading``."""

    async def read(
        self, owned: OwnedFileHandler, path: Path, limits: ExtractionLimits, name: str, *, owner: Hashable = None
    ) -> Extracted:
        """Return the text of a file.

        Raises:
            FileUnreadable: it can't be read.
        """
        ...


class TextStore(Protocol):
    """Stores the texts of documents in passages."""

    async def put(self, sha256: str, text: str) -> object:
        """Store a text in place of an earlier one."""
        ...

    async def has(self, sha256: str) -> bool:
        """Return whether the text of a content is stored."""
        ...


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Limits of reading a file."""

    max_chars: int
    seconds: float
    memory_bytes: int

    def extraction(self, pictures: int) -> ExtractionLimits:
        """Return the limits of a handler."""
        return ExtractionLimits(self.max_chars, self.seconds, self.memory_bytes, pictures)


@dataclass(frozen=True, slots=True)
class ReadTools:
    """What reads, and keeps what was read; what is None is not available."""

    pool: TextPool | None = None
    """Runs file handlers."""
    texts: TextStore | None = None
    """Stores the texts of documents."""
    transcription: Transcription | None = None
    """Calls transcribers."""
    no_transcriber: Callable[[str], Awaitable[None]] | None = None
    """Called with the command that installs a transcriber, if a recording came and none is installed."""


class FileReader:
    """Reads files; a content that was read before, or could not be, is not read again."""

    def __init__(
        self,
        database: Database,
        host: PluginHost,
        store: BlobStore,
        clock: Clock,
        limits: ReadLimits,
        tools: ReadTools,
    ) -> None:
        """Create a reader.

        Args:
            database: holds what was read.
            host: has the file handlers.
            store: holds the contents.
            clock: source of time.
            limits: limits of one file.
            tools: what reads.
        """
        self._database = database
        self._host = host
        self._store = store
        self._pool, self._texts, self._transcription = tools.pool, tools.texts, tools.transcription
        self._no_transcriber = tools.no_transcriber
        self._clock = clock
        self._limits = limits
        self._pages: dict[str, int | None] = {}
        """Pages of files that are sent as they are, by hash."""
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def read(self, file: File, *, sees: bool = False, owner: Hashable = None) -> FileText:
        """Return what the text of a document is like; the text itself is in the store of texts.

        Args:
            file: the document.
            sees: whether the model sees pictures, so that pages without text are worth a picture.
            owner: who waits for it.

        Raises:
            FileUnreadable: it can't be read.
        """
        name = shown_name(file.original_name, file.kind)
        kind = FileType(file.mime, is_text=False)
        handlers = matching(self._host.file_handlers, kind, file.original_name)
        if not handlers:
            code = "file_no_sight" if file.mime.startswith("image/") else "file_no_reader"
            code = "file_broken" if contradicts(kind, file.original_name) else code
            raise FileUnreadable(f"no handler takes {file.mime}", code=code, name=name, mime=file.mime)
        owned = handlers[0]
        async with self._lock(file.sha256, owned.handler.id):
            known = await self._known(file, owned.handler.id, name)
            if known is not None and not (sees and known.without_text and known.pictures is None):
                return known
            return await self._read(file, owned, name, sees=sees, owner=owner)

    async def hear(self, file: File, language: str) -> FileText:
        """Return the transcript of a recording.

        Args:
            file: the recording.
            language: two-letter code of the person's language, as a hint.

        Raises:
            FileUnreadable: it can't be transcribed.
            ProviderError: the service of a transcriber failed.
        """
        name = shown_name(file.original_name, file.kind)
        owned = None if self._transcription is None else self._transcription.choose(file.mime)
        if self._transcription is None or owned is None:
            if self._no_transcriber is not None and not self._host.transcribers:
                await self._no_transcriber(install_transcriber())
            raise no_transcriber(name)
        reader = f"transcriber:{owned.transcriber.id}"
        async with self._lock(file.sha256, reader):
            known = await self._known(file, reader, name)
            if known is not None:
                return known
            recording = Recording(self._store.path(file.path), file.mime, file.size, file.seconds, language or None)
            try:
                await self._check(file, name)
                made = await self._transcription.transcribe(recording, name)
            except FileUnreadable as error:
                raise await self._failed(file, reader, error, name) from error
            text = FileText(
                file.sha256,
                reader,
                made.text,
                len(made.text),
                truncated=made.truncated,
                language=made.language,
                created_at=milliseconds(self._clock),
            )
            return await self._put(text)

    async def pages(self, file: File, *, owner: Hashable = None) -> int | None:
        """Return the number of pages of a PDF that is not read; None for other files, and if it is not known.

        Args:
            file: the file.
            owner: who waits for it.
        """
        handlers = matching(self._host.file_handlers, FileType(file.mime, is_text=False), file.original_name)
        if file.mime != "application/pdf" or not handlers or self._pool is None:
            return None
        known = await self._database.read(lambda conn: file_texts.get(conn, file.sha256, handlers[0].handler.id))
        if known is not None and known.pages:
            return known.pages
        if file.sha256 not in self._pages:
            if len(self._pages) >= _MOST_REMEMBERED:
                self._pages.clear()
            self._pages[file.sha256] = await self._count_pages(self._pool, handlers[0], file, owner)
        return self._pages[file.sha256]

    async def _count_pages(self, pool: TextPool, owned: OwnedFileHandler, file: File, owner: Hashable) -> int | None:
        # Reading ends after the first characters.
        limits = ExtractionLimits(1, min(self._limits.seconds, _COUNT_SECONDS), self._limits.memory_bytes, 0)
        try:
            return (await pool.read(owned, self._store.path(file.path), limits, "", owner=owner)).pages
        except FileUnreadable as error:
            # Such as one with a password; the model may still say something about it.
            log.info("files.not_read", code=error.code, size_bytes=file.size)
            pages = error.params.get("pages")
            return pages if isinstance(pages, int) else None

    async def keep_text(self, heard: FileText) -> None:
        """Store a transcript as the text of a document, unless it is there already."""
        if self._texts is not None and not await self._texts.has(heard.sha256):
            await self._texts.put(heard.sha256, heard.text)

    def _lock(self, sha256: str, reader: str) -> asyncio.Lock:
        return self._locks.setdefault((sha256, reader), asyncio.Lock())

    async def _known(self, file: File, reader: str, name: str) -> FileText | None:
        """Return what was read before; None if nothing was, or so long ago that it is tried again.

        Raises:
            FileUnreadable: it could not be read.
        """
        known = await self._database.read(lambda conn: file_texts.get(conn, file.sha256, reader))
        if known is None or known.error is None:
            return known
        if milliseconds(self._clock) - known.created_at >= _KEPT_ERRORS.get(known.error, _DAY):
            return None
        raise FileUnreadable(
            "it could not be read before", code=known.error, name=name, mime=file.mime, seconds=self._limits.seconds
        )

    async def _read(self, file: File, owned: OwnedFileHandler, name: str, *, sees: bool, owner: Hashable) -> FileText:
        reader = owned.handler.id
        limits = self._limits.extraction(MOST_PICTURES if sees else 0)
        try:
            await self._check(file, name)
            if self._pool is None:
                raise FileUnreadable("nothing reads files here", code="file_no_reader", mime=file.mime)
            made = await self._pool.read(owned, self._store.path(file.path), limits, name, owner=owner)
            _check_text(made, sees=sees)
        except FileUnreadable as error:
            FILES_READ.add("failed")
            raise await self._failed(file, reader, error, name) from error
        FILES_READ.add("ok")
        pictures = await self._keep_pictures(file, made.pictures) if sees else None
        if self._texts is not None:
            await self._texts.put(file.sha256, made.text)
        text = FileText(
            file.sha256,
            reader,
            made.text if self._texts is None else "",
            len(made.text),
            made.pages,
            made.truncated,
            made.without_text,
            made.encoding,
            pictures=pictures,
            created_at=milliseconds(self._clock),
        )
        return await self._put(text)

    async def _check(self, file: File, name: str) -> None:
        if not await self._store.has(file.path, file.size, name):
            raise FileUnreadable("its content is not on disk", code="file_gone", name=name)

    async def _put(self, text: FileText) -> FileText:
        await self._database.write(lambda conn: file_texts.put(conn, text))
        return text

    async def _failed(self, file: File, reader: str, error: FileUnreadable, name: str) -> FileUnreadable:
        """Keep a failure, and return its error with the parameters of its text."""
        log.info("files.unreadable", reader=reader, code=error.code, mime=file.mime, size_bytes=file.size)
        if error.code not in _NOT_KEPT:
            now = milliseconds(self._clock)
            await self._put(FileText(file.sha256, reader, error=error.code, created_at=now))
        params = {"name": name, "mime": file.mime, **error.params}
        return FileUnreadable(str(error), code=error.code, **{**params, "name": params["name"] or name})

    async def _keep_pictures(self, file: File, pictures: Sequence[PagePicture]) -> list[dict[str, object]]:
        kept = [await asyncio.to_thread(_keep_picture, self._store, file, each) for each in pictures]
        for each in kept:
            await self._store.store(str(each["path"]), shown_name(file.original_name, file.kind))
        return kept


def _check_text(made: Extracted, *, sees: bool) -> None:
    """Check that something was read.

    Raises:
        FileUnreadable: there is neither text nor a picture.
    """
    if made.text.strip() or (sees and made.pictures):
        return
    has_pages = bool(made.without_text or made.pages)
    raise FileUnreadable("no text was found", code="file_no_text" if has_pages else "file_empty")


def _keep_picture(store: BlobStore, file: File, picture: PagePicture) -> dict[str, object]:
    path = f"{file.path}.page-{picture.page}"
    # Another process may make the same picture at the same time.
    part = store.path(f"{file.path}.{uuid.uuid4().hex}{PART}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(picture.content)
        part.replace(store.path(path))
    finally:
        part.unlink(missing_ok=True)
    return {
        "page": picture.page,
        "path": path,
        "mime": picture.mime_type,
        "size": len(picture.content),
        "sha256": file_digest(store.path(path)),
    }
