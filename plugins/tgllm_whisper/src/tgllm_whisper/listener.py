"""Transcription in a child process, which is started for the first recording and ended when it is idle."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from tgllm.api.clock import Clock
from tgllm.api.context import Log
from tgllm.api.errors import ProviderError, TgllmError
from tgllm.api.files import Recording, Transcript
from tgllm.api.types import JsonObject
from tgllm.providers.json_values import as_text
from tgllm_whisper import errors
from tgllm_whisper.machine import cpu_count, default_threads, free_memory
from tgllm_whisper.process import Job, ModelProcess, Order
from tgllm_whisper.settings import Settings

__all__ = ["Listener"]

DOWNLOAD_WAIT = 60.0
"""Seconds for which a recording waits for the download of the model; the download goes on after them."""
_UNREADABLE = ("broken", "empty", "no_sound")

Start = Callable[[str], Awaitable[ModelProcess]]


class Listener:
    """Transcriber of one run of the bot; recordings are transcribed one after another. Use it from one event loop."""

    def __init__(
        self,
        settings: Settings,
        data_dir: Path,
        clock: Clock,
        log: Log,
        *,
        start: Start = ModelProcess.start,
        free: Callable[[], int | None] = free_memory,
    ) -> None:
        """Create a listener; nothing is started yet."""
        self._settings = settings
        self._models = settings.models.expanduser() if settings.models else data_dir / "models"
        self._clock = clock
        self._log = log
        self._start = start
        self._free = free
        self._turns = asyncio.Lock()
        self._loading: asyncio.Task[ModelProcess] | None = None
        self._downloading = asyncio.Event()
        self._idle: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Process id of the child; None if there is none."""
        loading = self._loading
        ready = loading is not None and loading.done() and not loading.cancelled() and loading.exception() is None
        return loading.result().pid if loading is not None and ready else None

    async def transcribe(self, recording: Recording) -> Transcript:
        """Return the text of a recording.

        Raises:
            FileUnreadable: it can't be decoded.
            ProviderError: the model can't be used, or the child has crashed.
        """
        if not recording.size:
            raise errors.unreadable("empty")
        async with self._turns:
            self._stop_idling()
            try:
                answer = await self._ask(recording)
            finally:
                if not self._closed:
                    self._idle = asyncio.create_task(self._end_when_idle(), name="whisper idle")
        return self._transcript(answer)

    async def aclose(self) -> None:
        """End the child; a second call does nothing."""
        self._closed = True
        idle = self._idle
        self._stop_idling()
        if idle is not None:
            await asyncio.wait({idle})
        await self._drop()
        while self._ending:
            await asyncio.wait(self._ending)

    async def _ask(self, recording: Recording) -> JsonObject:
        for _ in range(2):
            child = await self._loaded()
            began = self._clock.monotonic()
            try:
                answer = await self._answer(child, self._job(recording))
            except BaseException as error:
                # Stopped, timed out or crashed. It can't be interrupted in another way; the next job starts another.
                if isinstance(error, ProviderError):
                    self._log.error("whisper.ended", reason=str(error), said=child.log[-500:])
                await self._drop()
                raise
            if answer is not None:
                seconds = round(self._clock.monotonic() - began, 1)
                error = as_text(answer.get("error"))
                self._log.info("whisper.transcribed", bytes=recording.size, seconds=seconds, error=error)
                return answer
            # It had died while it was idle, which says nothing about this recording.
            await self._drop()
        raise errors.failed(self._settings.model, "two processes ended before they began")

    @staticmethod
    async def _answer(child: ModelProcess, job: Job) -> JsonObject | None:
        """Return the answer to a job; None if the child ended before it began.

        Raises:
            ProviderError: the child has ended since.
        """
        await child.send(job)
        try:
            await child.answer()
        except ProviderError:
            return None
        return await child.answer()

    def _job(self, recording: Recording) -> Job:
        settings = self._settings
        return Job(
            path=str(recording.path.absolute()),
            language=settings.language,
            hint=recording.language,
            beam_size=settings.beam_size,
            max_seconds=settings.max_minutes * 60,
            work_seconds=settings.work_seconds,
        )

    async def _loaded(self) -> ModelProcess:
        """Return the child with its model; a download of a minute goes on without the recording.

        Raises:
            ProviderError: the model can't be used, or is being downloaded.
        """
        if self._closed:
            raise errors.failed(self._settings.model, "the plugin is closed")
        if self._loading is not None and self._is_lost(self._loading):
            await self._drop()
        if self._loading is None:
            self._downloading.clear()
            self._loading = asyncio.create_task(self._load(), name="whisper load")
        loading = self._loading
        waiting = asyncio.create_task(self._waited_for_download(), name="whisper download")
        try:
            await asyncio.wait({loading, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            await asyncio.wait({waiting})
        if not loading.done():
            raise errors.downloading(self._settings.model, await asyncio.to_thread(_megabytes, self._models))
        return loading.result()

    async def _waited_for_download(self) -> None:
        await self._downloading.wait()
        await self._clock.sleep(DOWNLOAD_WAIT)

    @staticmethod
    def _is_lost(loading: "asyncio.Task[ModelProcess]") -> bool:
        """Return whether loading has failed, or the child has ended."""
        if not loading.done():
            return False
        return loading.cancelled() or loading.exception() is not None or loading.result().ended

    async def _load(self) -> ModelProcess:
        settings = self._settings
        threads = settings.threads or default_threads(await asyncio.to_thread(cpu_count))
        free = await asyncio.to_thread(self._free) if settings.check_memory else None
        began = self._clock.monotonic()
        child = await self._start(settings.model)
        try:
            await child.send(Order(settings.model, str(self._models.absolute()), settings.compute_type, threads, free))
            await self._ready(child)
        except BaseException as error:
            if isinstance(error, TgllmError):
                self._log.error("whisper.not_loaded", reason=str(error), said=child.log[-500:])
            await child.end()
            raise
        seconds = round(self._clock.monotonic() - began, 1)
        self._log.info("whisper.loaded", model=settings.model, seconds=seconds, threads=threads)
        return child

    async def _ready(self, child: ModelProcess) -> None:
        """Wait until the model is loaded.

        Raises:
            ProviderError: it can't be, or not in time.
        """
        settings = self._settings
        limit, setting = settings.load_seconds, "load_seconds"
        while True:
            try:
                async with asyncio.timeout(limit):
                    answer = await child.answer()
            except TimeoutError:
                raise errors.not_loaded_in_time(settings.model, limit, setting) from None
            if answer.get("stage") == "ready":
                return
            if answer.get("stage") == "download":
                self._log.warning("whisper.download", model=settings.model, folder=str(self._models))
                limit, setting = settings.download_seconds + settings.load_seconds, "download_seconds"
                self._downloading.set()
                continue
            raise self._refusal(answer)

    def _refusal(self, answer: JsonObject) -> ProviderError:
        model, reason = self._settings.model, as_text(answer.get("reason"))
        need, free = answer.get("need"), answer.get("free")
        if isinstance(need, int) and isinstance(free, int):
            return errors.no_memory(model, need, free)
        if answer.get("error") == "download":
            return errors.not_downloaded(model, reason)
        return errors.bad_model(model, reason)

    def _transcript(self, answer: JsonObject) -> Transcript:
        error = as_text(answer.get("error"))
        if error in _UNREADABLE:
            raise errors.unreadable(error)
        if error:
            raise errors.failed(self._settings.model, as_text(answer.get("reason")))
        language = as_text(answer.get("language")) or None
        return Transcript(as_text(answer.get("text")), language, truncated=answer.get("truncated") is True)

    async def _drop(self) -> None:
        """End the child, or its loading; this goes on if the caller is cancelled."""
        loading, self._loading = self._loading, None
        if loading is None:
            return
        ending = asyncio.create_task(self._end(loading), name="whisper end")
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        await asyncio.shield(ending)

    @staticmethod
    async def _end(loading: "asyncio.Task[ModelProcess]") -> None:
        loading.cancel()
        await asyncio.wait({loading})
        with suppress(asyncio.CancelledError, TgllmError, OSError):
            await loading.result().end()

    def _stop_idling(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    async def _end_when_idle(self) -> None:
        await self._clock.sleep(self._settings.idle_seconds)
        async with self._turns:
            await self._drop()
        self._log.info("whisper.unloaded", model=self._settings.model)


def _megabytes(folder: Path) -> int:
    """Return the size of the files of a folder; those that move meanwhile are left out."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += 0 if path.is_symlink() or not path.is_file() else path.stat().st_size
    return total // 2**20
