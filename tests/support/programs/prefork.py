"""A process that has imported most of ``tgllm`` and forks one ``python -m tgllm`` for each request.

Run as a script, with the number of a socket. The imports take most of the time of a short program.
"""

import array
import gc
import importlib
import io
import json
import os
import runpy
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, cast

from tgllm.bot.loading import LATE_MODULES

__all__ = ["MOST_REQUEST_BYTES", "import_most", "serve"]

MOST_REQUEST_BYTES = 1 << 20

IMPORTED = (
    "tgllm.app",
    "tgllm.program",
    "tgllm.bot.runtime",
    "tgllm.cli.main",
    "tgllm.cli.commands.run",
    "tgllm.observe.pipeline",
    "tgllm.scheduler.scheduler",
    *LATE_MODULES,
)

_IGNORABLE = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that a program goes on to ignore if the one that starts it does."""


def import_most() -> None:
    """Import what most programs need."""
    for name in IMPORTED:
        importlib.import_module(name)
    # A collection in a child would copy the pages that it shares with this process.
    gc.freeze()


def serve(requests: socket.socket) -> dict[str, Any]:
    """Answer each request with the id of a new process, or 0; returns the request in that process.

    The process is a child of the nearest ancestor that adopts orphans (``PR_SET_CHILD_SUBREAPER``).
    """
    while True:
        try:
            message, ancillary, _, _ = requests.recvmsg(MOST_REQUEST_BYTES, socket.CMSG_SPACE(3 * 4))
        except KeyboardInterrupt:
            os._exit(130)
        if not message:
            os._exit(0)
        files = array.array("i")
        for _, _, content in ancillary:
            files.frombytes(content)
        reader, writer = os.pipe()
        middle = os.fork()
        if middle == 0:
            pid = os.fork()
            if pid:
                os.write(writer, str(pid).encode())
                os._exit(0)
            for number, file in enumerate(files):
                os.dup2(file, number)
            for file in (reader, writer, *files):
                os.close(file)
            requests.close()
            return json.loads(message)
        # Its end makes the program an orphan.
        os.waitpid(middle, 0)
        os.close(writer)
        requests.send(os.read(reader, 20) or b"0")
        for file in (reader, *files):
            os.close(file)


def _stream(number: int, *, is_unbuffered: bool) -> io.TextIOWrapper:
    """Return a standard stream as the interpreter makes it."""
    if number == 0:
        return open(number, encoding="utf-8", closefd=False)
    file = io.FileIO(number, "w", closefd=False)
    return io.TextIOWrapper(
        cast("io.BufferedWriter", file) if is_unbuffered else io.BufferedWriter(file),
        encoding="utf-8",
        errors="backslashreplace" if number == 2 else "strict",
        line_buffering=number == 2 or file.isatty(),
        write_through=is_unbuffered,
    )


def _become(request: dict[str, Any]) -> None:
    """Make this process what the interpreter would be after its start."""
    if request["new_session"]:
        os.setsid()
    for number in _IGNORABLE:
        usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN if number in request["ignored"] else usual)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    # Without the current folder, which ``tgllm`` removes when it is imported.
    sys.path[:0] = [entry for entry in request["env"].get("PYTHONPATH", "").split(os.pathsep) if entry]
    importlib.invalidate_caches()
    is_unbuffered = bool(request["env"].get("PYTHONUNBUFFERED"))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = _stream(number, is_unbuffered=is_unbuffered)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv[:] = ["-m", *request["args"]]


if __name__ == "__main__":
    # As with ``-m``: the folder of this script has nothing for the program.
    sys.path.remove(str(Path(__file__).parent))
    channel = socket.socket(fileno=int(sys.argv[1]))
    import_most()
    _become(serve(channel))
    runpy.run_module("tgllm", run_name="__main__", alter_sys=True)
