"""A reading process, as seen by the bot."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any, TypeVar

from tgllm.services.reading import wire

__all__ = ["Answer", "ProcessEnded", "ReadingProcess"]

T = TypeVar("T")

COMMAND = (sys.executable, "-P", "-m", "tgllm.services.reading.worker")
"""``-P``: modules of the current folder are not imported."""
_ENVIRONMENT = ("PATH", "LANG", "LC_", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "SYSTEMROOT")
"""Beginnings of the variables that the process gets: keys and tokens are none of them."""
_DEATH_SECONDS = 1.0
"""Time for the kernel to report the end of a process."""
_KEPT_BYTES = 4096
_PIPE_BYTES = 2**20
_OUT_OF_MEMORY = (b"memory allocation of", b"bad_alloc", b"out of memory", b"MemoryError")
"""What Rust, C++ and C libraries print before they abort for lack of memory."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Result of a task, not checked yet."""

    header: dict[str, Any]
    blobs: list[bytes]


class ProcessEnded(Exception):
    """The process has ended, or has sent something that is no answer; the argument is the reason, for the log."""

    def __init__(self, reason: str, code: str = "file_crashed") -> None:
        """Create the error; ``code`` is the one of the ``FileUnreadable`` to raise."""
        super().__init__(reason)
        self.code = code


class ReadingProcess:
    """Runs one task at a time; created by ``spawn``. After any error it must be closed."""

    def __init__(
        self, process: asyncio.subprocess.Process, transport: asyncio.SubprocessTransport, folder: Path
    ) -> None:
        """Wrap a process; call ``spawn`` instead."""
        self.tasks = 0
        """Number of tasks that it was given."""
        self._process = process
        self._transport = transport
        self._folder = folder
        self._printed = b""
        self._printing = asyncio.create_task(self._keep_printed(), name="output of a reading process")
        self._is_killed = False

    @classmethod
    async def spawn(cls, parent: Path | None) -> "ReadingProcess":
        """Start a process in an empty folder of its own, within ``parent`` or else the system's temporary folder.

        Raises:
            OSError: it can't be started.
        """
        # Not in a thread: a cancelled call would leave the folder behind. Starting the process takes longer.
        folder = Path(tempfile.mkdtemp(prefix="tgllm-reading-", dir=parent))
        try:
            return cls(*await _spawn(folder), folder)
        except BaseException:
            rmtree(folder, ignore_errors=True)
            raise

    async def get_ready(self, seconds: float) -> None:
        """Wait until the process takes tasks.

        Raises:
            ProcessEnded: it has ended, or was not ready within ``seconds``.
        """
        # The handlers that the bot has loaded must be found, also if the current folder is in the path of the bot only.
        path = [entry for entry in sys.path if Path(entry).is_absolute()]
        try:
            await self.ask({"path": path}, seconds, 0)
        except TimeoutError:
            raise ProcessEnded(f"not ready within {seconds:g} s") from None

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self._is_killed or self._process.returncode is not None

    async def ask(self, task: Mapping[str, Any], seconds: float, most_bytes: int) -> Answer:
        """Send a task, and return the answer.

        Args:
            task: see ``tasks.run``.
            seconds: time limit.
            most_bytes: maximum length of the answer without its header.

        Raises:
            ProcessEnded: there is no answer.
            TimeoutError: the time is over.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(task, most_bytes)
        except wire.WireError as error:
            raise _malformed(error) from None
        except (asyncio.IncompleteReadError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise await self._ended() from None

    @staticmethod
    def checked(parse: Callable[[], T]) -> T:
        """Return what ``parse`` returns.

        Raises:
            ProcessEnded: it has raised ``WireError``; a process that sends such an answer must be ended.
        """
        try:
            return parse()
        except wire.WireError as error:
            raise _malformed(error) from None

    def kill(self) -> None:
        """End the process, and those that its handlers have started."""
        if self._is_killed:
            return
        self._is_killed = True
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                # It leads a group. After its end the group may still have others.
                os.killpg(self._process.pid, signal.SIGKILL)
            elif self._process.returncode is None:
                self._process.kill()

    async def aclose(self) -> None:
        """End the process and remove its folder; a second call waits, too."""
        self.kill()
        with suppress(TimeoutError):
            async with asyncio.timeout(_DEATH_SECONDS):
                await self._process.wait()
        # A process that a handler has started may still hold the pipes; wait() could wait for their end.
        self._transport.close()
        await self._process.wait()
        self._printing.cancel()
        await asyncio.wait({self._printing})
        await asyncio.to_thread(rmtree, self._folder, ignore_errors=True)

    async def _exchange(self, task: Mapping[str, Any], most_bytes: int) -> Answer:
        assert self._process.stdin is not None  # noqa: S101  opened as a pipe
        assert self._process.stdout is not None  # noqa: S101  opened as a pipe
        self._process.stdin.write(wire.packed(task))
        await self._process.stdin.drain()
        source = self._process.stdout
        length = wire.length_from(await source.readexactly(wire.LENGTH_BYTES))
        header = wire.header_from(await source.readexactly(length))
        lengths = wire.lengths_of(header, most_bytes)
        return Answer(header, [await source.readexactly(each) for each in lengths])

    async def _ended(self) -> ProcessEnded:
        """Return why the process has ended; it may also have closed its output, and is killed then."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DEATH_SECONDS):
                await self._process.wait()
        status = self._process.returncode
        await asyncio.wait({self._printing}, timeout=_DEATH_SECONDS)
        if status is None:
            return ProcessEnded("closed its output")
        if sys.platform == "win32" or status >= 0:
            return ProcessEnded(f"exited with {status}")
        name = signal.Signals(-status).name
        if any(words in self._printed for words in _OUT_OF_MEMORY) or name == "SIGKILL":
            # The kernel ends it by SIGKILL if the machine's memory is short.
            return ProcessEnded(f"ended by {name}", "file_memory")
        return ProcessEnded(f"ended by {name}", "file_slow" if name in {"SIGALRM", "SIGXCPU"} else "file_crashed")

    async def _keep_printed(self) -> None:
        """Keep the end of what the process prints, in memory: it may quote a file, and is never logged."""
        assert self._process.stderr is not None  # noqa: S101  it is a pipe
        while data := await self._process.stderr.read(_PIPE_BYTES):
            self._printed = (self._printed + data)[-_KEPT_BYTES:]


def _malformed(error: wire.WireError) -> ProcessEnded:
    return ProcessEnded(f"sent no answer: {error}")


async def _spawn(folder: Path) -> tuple[asyncio.subprocess.Process, asyncio.SubprocessTransport]:
    variables = {name: value for name, value in os.environ.items() if name.startswith(_ENVIRONMENT)}
    # Handlers may write temporary files, in the folder that is removed.
    variables |= {"TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder), "HOME": str(folder)}
    loop = asyncio.get_running_loop()
    # As create_subprocess_exec does, which does not return the transport.
    transport, protocol = await loop.subprocess_exec(
        lambda: asyncio.subprocess.SubprocessStreamProtocol(_PIPE_BYTES, loop),
        *COMMAND,
        env=variables,
        cwd=folder,
        start_new_session=True,
    )
    return asyncio.subprocess.Process(transport, protocol, loop), transport
