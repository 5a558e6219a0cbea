"""Opens the service of files with what it is made of."""

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

from tgllm.api import DatabaseError
from tgllm.api.clock import Clock
from tgllm.config.model import Config
from tgllm.db.checkpoint import empty_log
from tgllm.db.database import Database
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.plugins.host import PluginHost
from tgllm.services.files.blobs import BlobStore
from tgllm.services.files.document_chooser import DocumentChooser
from tgllm.services.files.file_service import FileService
from tgllm.services.files.gathering.file_reader import FileReader, ReadLimits, ReadTools
from tgllm.services.files.gathering.finder import Finder
from tgllm.services.files.gathering.pictures import PictureDesk
from tgllm.services.files.gathering.receiver import Receiver
from tgllm.services.files.passage_store import PassageStore
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.files.sweep import KEPT_SECONDS, drop_parts, sweep_blobs
from tgllm.services.files.transcription import Transcription
from tgllm.services.reading.pool import ReaderPool

__all__ = ["clean_up", "open_files"]

log = get_logger(__name__)

_MIB = 2**20


@asynccontextmanager
async def open_files(  # noqa: PLR0913  one is keyword-only and has a default
    config: Config,
    clock: Clock,
    texts: Catalogue,
    database: Database,
    host: PluginHost,
    pool: ReaderPool,
    storage: FileStorage,
    *,
    no_transcriber: Callable[[str], Awaitable[None]] | None = None,
) -> AsyncGenerator[FileService]:
    """Open the service on open services; closing it ends what it has begun.

    Args:
        config: the settings.
        clock: source of time.
        texts: remarks for models.
        database: holds what was received and read.
        host: has file handlers and transcribers.
        pool: runs the handlers.
        storage: holds the contents.
        no_transcriber: see ``ReadTools``.
    """
    settings = config.files
    store = BlobStore(storage, keep_free=round(settings.keep_free_mb * _MIB))
    limits = ReadLimits(settings.max_chars, settings.read_timeout, settings.read_memory_mb * _MIB)
    async with AsyncExitStack() as stack:
        transcription = Transcription(host, settings.transcribe_timeout, settings.max_chars)
        await stack.enter_async_context(aclosing(transcription))
        tools = ReadTools(pool, PassageStore(database), transcription, no_transcriber)
        reader = FileReader(database, host, store, clock, limits, tools)
        yield FileService(
            Receiver(database, store, clock, round(settings.max_mb * _MIB)),
            Finder(store, reader, PictureDesk(store, pool), texts),
            DocumentChooser(database, texts, clock),
            storage,
        )


async def clean_up(database: Database, clock: Clock, storage: FileStorage) -> None:
    """Remove what an earlier run has left; the bot also starts if that fails.

    These are unfinished downloads, and contents and texts of files that were deleted when the program ended. No turn
    runs yet, so contents of any age that have no row are left over, unless other processes may use the same storage.
    """
    has_others = storage.is_shared or storage.is_remote
    now = clock.now() if has_others else math.inf
    try:
        await asyncio.to_thread(drop_parts, storage.data_dir, now - KEPT_SECONDS)
        await sweep_blobs(database, storage, now)
        if await PassageStore(database).purge():
            await empty_log(database, clock)
    except (OSError, DatabaseError) as error:
        # The retention job tries again.
        log.warning("files.not_cleaned_up", error=type(error).__name__)
