"""The trace of calls of plugins: a pipe in the data folder that ``tgllm plugins trace`` reads.

Without a reader, a call costs one attempt to open a file that is not there.
"""

import errno
import fcntl
import json
import os
import stat
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias, cast

from tgllm.api.errors import PluginError

__all__ = ["TRACE_NAME", "TraceReader", "TraceWriter", "reading"]

TRACE_NAME: Final = "plugins.trace"
_MOST_BYTES: Final = 4096
"""What is written to a pipe at once is never mixed with what others write. POSIX: PIPE_BUF, of Linux."""

_LONGEST_TEXT: Final = 200
"""Characters of a text that are written: with all that JSON may add, an entry stays below ``_MOST_BYTES``."""

_Entry: TypeAlias = Mapping[str, str | float | None]


class TraceWriter:
    """Writes calls to the pipe of a reader without ever blocking; if the reader is too slow, calls are dropped."""

    def __init__(self, data_dir: Path) -> None:
        """Create a writer for the pipe in a data folder."""
        self._path = data_dir / TRACE_NAME

    def write(self, entry: _Entry) -> None:
        """Write a call if there is a reader."""
        try:
            pipe = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            # ENOENT, or ENXIO: nothing reads it.
            return
        try:
            if stat.S_ISFIFO(os.fstat(pipe).st_mode):
                line = json.dumps(_short(entry), ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
                # A longer one would be cut off, and be no JSON.
                if len(line) < _MOST_BYTES:
                    with suppress(OSError):
                        os.write(pipe, line + b"\n")
        finally:
            os.close(pipe)


def _short(entry: _Entry) -> _Entry:
    return {
        name: f"{value[:_LONGEST_TEXT]}…" if isinstance(value, str) and len(value) > _LONGEST_TEXT else value
        for name, value in entry.items()
    }


class TraceReader:
    """Reader of the pipe."""

    def __init__(self, pipe: int) -> None:
        """Create a reader of an open pipe."""
        self._pipe = pipe
        self._rest = b""

    def fileno(self) -> int:
        """Return the descriptor, to wait for."""
        return self._pipe

    def read(self) -> list[Mapping[str, object]]:
        """Return the calls that have been written since; what is no call is skipped."""
        while True:
            try:
                block = os.read(self._pipe, 65_536)
            except BlockingIOError:
                break
            if not block:
                break
            self._rest += block
        *lines, self._rest = self._rest.split(b"\n")
        found: list[Mapping[str, object]] = []
        for line in lines:
            with suppress(ValueError):
                entry: object = json.loads(line)
                if isinstance(entry, dict):
                    found.append(cast("Mapping[str, object]", entry))
        return found


@contextmanager
def reading(data_dir: Path) -> Generator[TraceReader]:
    """Make the pipe and read it for the duration of a ``with``.

    Raises:
        PluginError: another process reads it, or it can't be made.
    """
    path = data_dir / TRACE_NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        # For writing too: otherwise the pipe would be at its end whenever no program has it open.
        pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise PluginError(f"the trace needs a pipe in the data folder, {path}: {error.strerror or error}") from None
    try:
        if not stat.S_ISFIFO(os.fstat(pipe).st_mode):
            raise PluginError(f"{path} is no pipe: move it away, since the trace needs a pipe there")
        try:
            fcntl.flock(pipe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                raise PluginError(f"the pipe {path} can't be locked: {error.strerror}") from None
            raise PluginError("another tgllm plugins trace runs on this data folder: end it first") from None
        try:
            yield TraceReader(pipe)
        finally:
            with suppress(OSError):
                path.unlink()
    finally:
        os.close(pipe)
