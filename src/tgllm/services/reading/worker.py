"""Program of a reading process: ``python -m tgllm.services.reading.worker``.

It reads tasks from its standard input and writes their results to its standard output, one by one, in the form of
``wire``. The first message has the import path of the bot. It imports neither aiogram nor the database, and a handler's
libraries only when the handler is called; they stay loaded for the next file.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Any, BinaryIO

from tgllm.services.reading import limits, wire
from tgllm.services.reading.tasks import Result, run

__all__ = ["main"]


def main() -> None:
    """Serve until the input ends."""
    limits.die_with_the_bot()
    limits.limit_process()
    source, target = _private_pipes()
    first = _receive(source)
    if first is None:
        return
    sys.path[:] = first["path"]
    home, pid = Path.cwd(), os.getpid()
    _send(target, Result({}))
    while (task := _receive(source)) is not None:
        limits.begin(task["seconds"], task["memory"])
        result = run(task, home)
        if os.getpid() != pid:
            # A process that the handler has forked; the answer is the first one's.
            os._exit(0)
        limits.end()
        _clean(home)
        result.header["retire"] = _is_spoilt(task, result)
        _send(target, result)


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take standard input and output away from handlers, which may print or read."""
    source, target = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, target


def _receive(source: BinaryIO) -> dict[str, Any] | None:
    if len(start := source.read(wire.LENGTH_BYTES)) < wire.LENGTH_BYTES:
        return None
    length = wire.length_from(start)
    return wire.header_from(head) if len(head := source.read(length)) == length else None


def _send(target: BinaryIO, result: Result) -> None:
    target.write(wire.packed(result.header, result.blobs))
    target.flush()


def _clean(home: Path) -> None:
    """Remove what a handler has left in its folder, and return there."""
    with suppress(OSError):
        os.chdir(home)
        for left in home.iterdir():
            if left.is_dir() and not left.is_symlink():
                rmtree(left, ignore_errors=True)
            else:
                left.unlink()


def _is_spoilt(task: Mapping[str, Any], result: Result) -> bool:
    """Return whether the next task needs a fresh process: this one may lack memory, or still runs old code."""
    # Threads and processes that the handler has left would go on during the next task.
    left = limits.end_descendants() or _threads() > 1
    return left or result.is_failure or limits.is_grown(task["memory"])


def _threads() -> int:
    threading = sys.modules.get("threading")
    return 1 if threading is None else threading.active_count()


if __name__ == "__main__":
    main()
