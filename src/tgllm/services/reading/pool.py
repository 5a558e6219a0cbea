"""Pool of reading processes: the bot's way to call file handlers and to prepare pictures."""

import re
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from tgllm.api.clock import Clock
from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits, FileHandler
from tgllm.observe.logs import get_logger
from tgllm.plugins.builtin.files.shared.kinds import ending_of
from tgllm.plugins.owned import OwnedFileHandler
from tgllm.services.errors.reports import LoggedOnly, Reporter
from tgllm.services.reading.answers import Breach, Crash, extracted_from, failure_from, prepared_from
from tgllm.services.reading.missing import FILES, PILLOW, install_command, missing_modules
from tgllm.services.reading.process import Answer, ProcessEnded
from tgllm.services.reading.processes import Processes
from tgllm.services.reading.tasks import MOST_PICTURE_BYTES
from tgllm.services.reading.values import MissingPackage, PictureLimits, PoolSettings, Prepared

__all__ = ["ReaderPool"]

log = get_logger(__name__)

T = TypeVar("T")

_MOST_CHAR_BYTES = 4
_SUFFIX = re.compile(r"\.[a-z0-9_+-]{1,16}")
_DEFAULTS = PoolSettings()


@dataclass(frozen=True, slots=True)
class _Reader:
    """What reads a file."""

    plugin_id: str
    id: str
    needs: tuple[str, ...]
    package: str


_PICTURES = _Reader("tgllm", "picture", (PILLOW,), FILES)
_HEIF_PICTURES = _Reader("tgllm", "picture", ("pillow_heif",), "pillow-heif")
"""For photos of iPhones that are sent as files. It is no part of ``tgllm[files]``: it holds the LGPL's libheif."""


class HandlerCrash(Exception):
    """A file handler raised an exception in its process. Its message stays there, since it may quote the file."""


class ReaderPool:
    """Runs file handlers in child processes, which are started when they are first needed, and kept for a while."""

    def __init__(
        self,
        clock: Clock,
        quarantine: Callable[[str, str], None],
        missing: Callable[[MissingPackage], Awaitable[None]],
        settings: PoolSettings = _DEFAULTS,
        errors: Reporter | None = None,
    ) -> None:
        """Create a pool; nothing is started.

        Args:
            clock: measures idle times.
            quarantine: called with the id of a plugin that has broken the contract, and the reason.
            missing: called each time a package is missing.
            settings: number and lifetime of the processes.
            errors: where crashes of handlers are reported; the log by default.
        """
        self._errors = errors or LoggedOnly()
        self._quarantine = quarantine
        self._missing = missing
        self._settings = settings
        self._processes = Processes(clock, settings)

    @property
    def pids(self) -> frozenset[int]:
        """Ids of the processes."""
        return self._processes.pids

    @property
    def waiting(self) -> int:
        """Number of files that wait for a process."""
        return self._processes.waiting

    async def read(
        self,
        owned: OwnedFileHandler,
        path: Path,
        limits: ExtractionLimits,
        name: str,
        *,
        owner: Hashable = None,
    ) -> Extracted:
        """Return the text of a file, read by a plugin's handler.

        If the call is cancelled, the process is ended.

        Args:
            owned: the handler.
            path: the file.
            limits: limits of the text, the time and the memory.
            name: name of the file for the person, for errors; its ending is passed on to the handler.
            owner: who has sent it; of many files, one of each person is read in turn.

        Raises:
            FileUnreadable: it can't be read.
            Stopped: the pool is closed.
        """
        handler = owned.handler
        reader = _Reader(owned.plugin_id, handler.id, handler.needs, handler.package)
        if modules := missing_modules(handler.needs):
            raise await self._lacking(reader, modules, name)
        most_bytes = _MOST_CHAR_BYTES * limits.max_chars + (MOST_PICTURE_BYTES if limits.max_pictures else 0)
        task = _reading(handler, path, limits, name)
        return await self._ask(reader, task, most_bytes, lambda answer: extracted_from(answer, limits), name, owner)

    async def picture(
        self,
        path: Path,
        target: Path,
        limits: PictureLimits,
        name: str = "",
        *,
        owner: Hashable = None,
    ) -> Prepared:
        """Prepare a picture for a model: turned as the camera was held, within the limits, without metadata.

        Args:
            path: the picture; a file with several shows its first.
            target: where to write it if it can't stay as it is.
            limits: what the model takes.
            name: see ``read``.
            owner: see ``read``.

        Raises:
            FileUnreadable: it can't be read.
            Stopped: the pool is closed.
        """
        task = _preparing(path, target, limits, self._settings)
        return await self._ask(_PICTURES, task, 0, lambda answer: prepared_from(answer, path, target), name, owner)

    async def aclose(self) -> None:
        """End all processes; what they read is given up, and what waits is not read. A second call does nothing."""
        await self._processes.aclose()

    async def _ask(
        self,
        reader: _Reader,
        task: Mapping[str, Any],
        most_bytes: int,
        parse: Callable[[Answer], T],
        name: str,
        owner: Hashable,
    ) -> T:
        """Run a task; see ``read`` for what it raises."""

        def result(answer: Answer) -> T | FileUnreadable | Breach | Crash:
            failure = failure_from(answer.header, name)
            return parse(answer) if failure is None else failure

        seconds: float = task["seconds"]
        try:
            given = await self._processes.ask(task, seconds, most_bytes, result, owner)
        except TimeoutError:
            raise _failed(reader, f"took longer than {seconds:g} s", "file_slow", name, seconds) from None
        except ProcessEnded as error:
            raise _failed(reader, str(error), error.code, name, seconds) from None
        except OSError as error:
            raise _failed(reader, f"no process: {type(error).__name__}", "file_crashed", name, seconds) from None
        if isinstance(given, FileUnreadable):
            raise given
        if isinstance(given, Crash):
            if reader is _PICTURES and given.module in _HEIF_PICTURES.needs:
                raise await self._lacking(_HEIF_PICTURES, _HEIF_PICTURES.needs, name)
            if given.module.partition(".")[0] in {needed.partition(".")[0] for needed in reader.needs}:
                raise await self._lacking(reader, [given.module], name)
            raise self._crashed(reader, given, name)
        if isinstance(given, Breach):
            self._quarantine(reader.plugin_id, f"extract of file handler {reader.id} {given.words}")
            raise _failed(reader, given.words, "file_crashed", name, seconds)
        return given

    def _crashed(self, reader: _Reader, crash: Crash, name: str) -> FileUnreadable:
        """Report an exception of a handler, and return the error to raise."""
        reason = f"raised {crash.kind or 'an error'}"
        plugin = None if reader is _PICTURES else reader.plugin_id
        error = HandlerCrash(f"file handler {reader.id} {reason}")
        code = self._errors.report(
            error, event="reading.crashed", plugin=plugin, at=crash.place, handler=reader.id, reason=reason
        )
        return FileUnreadable(f"reading failed: {reason}", code="file_crashed", name=name, error_id=code)

    async def _lacking(self, reader: _Reader, modules: Iterable[str], name: str) -> FileUnreadable:
        """Report missing modules, and return the error to raise."""
        found = tuple(modules)
        command = install_command(reader.package, found)
        log.warning("reading.not_installed", plugin=reader.plugin_id, handler=reader.id, modules=", ".join(found))
        await self._missing(MissingPackage(reader.plugin_id, reader.id, found, command))
        return FileUnreadable(f"not installed: {', '.join(found)}", code="file_needs", name=name, command=command)


def _failed(reader: _Reader, reason: str, code: str, name: str, seconds: float) -> FileUnreadable:
    """Log a failure, without the name and the content of the file, and return the error to raise."""
    log.warning("reading.failed", plugin=reader.plugin_id, handler=reader.id, reason=reason)
    params: dict[str, str | float] = {"seconds": seconds} if code == "file_slow" else {}
    return FileUnreadable(f"reading failed: {reason}", code=code, name=name, **params)


def _reading(handler: FileHandler, path: Path, limits: ExtractionLimits, name: str) -> dict[str, Any]:
    """Return the task to call a handler."""
    suffix = ending_of(name)
    return {
        "task": "read",
        "module": handler.extract.__module__,
        "function": handler.extract.__qualname__,
        "path": str(path.absolute()),
        "suffix": suffix if _SUFFIX.fullmatch(suffix) else "",
        "most_chars": limits.max_chars,
        "seconds": limits.seconds,
        "memory": limits.memory_bytes,
        "most_pictures": limits.max_pictures,
    }


def _preparing(path: Path, target: Path, limits: PictureLimits, settings: PoolSettings) -> dict[str, Any]:
    """Return the task to prepare a picture."""
    return {
        "task": "picture",
        "path": str(path.absolute()),
        "target": str(target.absolute()),
        "limits": {**asdict(limits), "mime_types": sorted(limits.mime_types)},
        "seconds": settings.picture_seconds,
        "memory": settings.picture_memory_bytes,
    }
