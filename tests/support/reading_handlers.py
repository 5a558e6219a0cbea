"""File handlers for the tests of reading processes; most misbehave."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits, PagePicture


def whole(path: Path, limits: ExtractionLimits) -> Extracted:
    return Extracted(path.read_text())


def everything(path: Path, limits: ExtractionLimits) -> Extracted:
    pictures = (PagePicture(2, b"\xff\xd8two"), PagePicture(3, b"three", "image/png"))
    return Extracted(
        "[page 1]\none \ud83d", truncated=True, pages=3, pictures=pictures, without_text=2, encoding="cp1251"
    )


def told(path: Path, limits: ExtractionLimits) -> Extracted:
    """What the handler is told, and where it is."""
    here = Path.cwd()
    left = sorted(each.name for each in here.iterdir())
    return Extracted(repr((path.suffix, left, limits, sorted(os.environ), here == path.parent, os.getpid())))


def loaded(path: Path, limits: ExtractionLimits) -> Extracted:
    return Extracted("\n".join(sorted(sys.modules)))


def meets(path: Path, limits: ExtractionLimits) -> Extracted:
    """Connect to the port in the file, send the pid, and wait for the text to return."""
    with socket.create_connection(("127.0.0.1", int(path.read_text()))) as connection:
        connection.sendall(f"{os.getpid()}\n".encode())
        return Extracted(connection.recv(100).decode())


def meets_and_spins(path: Path, limits: ExtractionLimits) -> Extracted:
    """Connect to the port in the file, and work for ever."""
    connection = socket.create_connection(("127.0.0.1", int(path.read_text())))
    connection.sendall(f"{os.getpid()}\n".encode())
    while True:
        pass


def forks_and_meets(path: Path, limits: ExtractionLimits) -> Extracted:
    """Leave a process behind, in a session of its own, that holds a connection."""
    connection = socket.create_connection(("127.0.0.1", int(path.read_text())))
    if os.fork() == 0:
        os.setsid()
        connection.sendall(f"{os.getpid()}\n".encode())
        while True:
            signal.pause()
    connection.close()
    return Extracted("parent")


def forks_meets_and_spins(path: Path, limits: ExtractionLimits) -> Extracted:
    forks_and_meets(path, limits)
    while True:
        pass


def leaves_a_program(path: Path, limits: ExtractionLimits) -> Extracted:
    """Leave a program behind that holds a connection."""
    program = "import socket, sys, signal\ns = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
    program += "s.sendall(b'0\\n')\nsignal.pause()"
    subprocess.Popen([sys.executable, "-c", program, path.read_text()])
    meets(path, limits)
    return Extracted("started")


def returns_twice(path: Path, limits: ExtractionLimits) -> Extracted:
    return Extracted("child" if os.fork() == 0 else "parent")


def raises(path: Path, limits: ExtractionLimits) -> Extracted:
    raise ZeroDivisionError(path.read_text())


def exits(path: Path, limits: ExtractionLimits) -> Extracted:
    sys.exit(0)


def interrupts(path: Path, limits: ExtractionLimits) -> Extracted:
    raise KeyboardInterrupt


def vanishes(path: Path, limits: ExtractionLimits) -> Extracted:
    os._exit(0)


def segfaults(path: Path, limits: ExtractionLimits) -> Extracted:
    return Extracted(str(ctypes.string_at(0)))


def aborts(path: Path, limits: ExtractionLimits) -> Extracted:
    os.abort()


def aborts_without_memory(path: Path, limits: ExtractionLimits) -> Extracted:
    """End as Rust does."""
    os.write(2, b"memory allocation of 4294967296 bytes failed\n")
    os.abort()


def is_killed(path: Path, limits: ExtractionLimits) -> Extracted:
    """End as the kernel ends a process when the memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
    return Extracted("")


def spins(path: Path, limits: ExtractionLimits) -> Extracted:
    while True:
        pass


def sleeps(path: Path, limits: ExtractionLimits) -> Extracted:
    while True:
        time.sleep(1000)


def spins_in_c(path: Path, limits: ExtractionLimits) -> Extracted:
    return Extracted(str(pow(3, 10**9)))


def resists(path: Path, limits: ExtractionLimits) -> Extracted:
    """Ignore every signal that can be ignored."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    signal.alarm(0)
    while True:
        pass


def alarms(path: Path, limits: ExtractionLimits) -> Extracted:
    """End as at the time limit of the process itself."""
    os.kill(os.getpid(), signal.SIGALRM)
    return Extracted("")


def eats(path: Path, limits: ExtractionLimits) -> Extracted:
    return Extracted(str(len([bytearray(2**24) for _ in range(2**20)])))


def returns_gigabytes(path: Path, limits: ExtractionLimits) -> Extracted:
    return Extracted("x" * 2**33)


def returns_much(path: Path, limits: ExtractionLimits) -> Extracted:
    pictures = tuple(PagePicture(number, bytes(2**20)) for number in range(1, 100))
    return Extracted("я" * 10_000_000, pictures=pictures)


def keeps_memory(path: Path, limits: ExtractionLimits) -> Extracted:
    vars(sys.modules[__name__])["KEPT"] = bytearray(300 * 2**20)
    return Extracted("kept")


def prints(path: Path, limits: ExtractionLimits) -> Extracted:
    sys.stdout.write("x" * 100_000)
    sys.stdout.flush()
    sys.stderr.write("y" * 10_000_000)
    os.write(1, b"z" * 100_000)
    subprocess.run([sys.executable, "-c", "print('w' * 100000)"], check=True)
    return Extracted(f"printed, read {sys.stdin.read()!r}")


def writes_everywhere(path: Path, limits: ExtractionLimits) -> Extracted:
    for number in range(3, 30):
        try:
            os.write(number, b"\x00\x00\x00\x08{garbage")
        except OSError:
            continue
    return Extracted("written")


def announces_gigabytes(path: Path, limits: ExtractionLimits) -> Extracted:
    head = b'{"read":{},"lengths":[1099511627776]}'
    for number in range(3, 30):
        try:
            os.write(number, len(head).to_bytes(4, "big") + head)
        except OSError:
            continue
    return sleeps(path, limits)


def closes_everything(path: Path, limits: ExtractionLimits) -> Extracted:
    os.closerange(0, 100)
    return Extracted("closed")


def closes_and_sleeps(path: Path, limits: ExtractionLimits) -> Extracted:
    os.closerange(0, 100)
    return sleeps(path, limits)


def leaves_a_thread(path: Path, limits: ExtractionLimits) -> Extracted:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    return Extracted("left")


def leaves_files(path: Path, limits: ExtractionLimits) -> Extracted:
    Path("folder").mkdir()
    Path("folder/file").write_text("left")
    os.chdir("folder")
    return Extracted("left")


def writes_much(path: Path, limits: ExtractionLimits) -> Extracted:
    with Path("much").open("wb") as file:
        while True:
            file.write(bytes(2**20))


def recurses(path: Path, limits: ExtractionLimits) -> Extracted:
    return recurses(path, limits)


class Hostile(Exception):
    """An error that can be neither pickled nor shown."""

    def __init__(self) -> None:
        self.unpicklable = lambda: None

    def __str__(self) -> str:
        raise SystemExit

    def __reduce__(self) -> Any:
        raise RuntimeError


def raises_hostile(path: Path, limits: ExtractionLimits) -> Extracted:
    raise Hostile


def refuses(path: Path, limits: ExtractionLimits) -> Extracted:
    raise FileUnreadable(path.read_text(), code="file_password", pages=3, detail="x" * 1000, bad=object())  # type: ignore[arg-type]  a handler may pass anything


def refuses_without_limit(path: Path, limits: ExtractionLimits) -> Extracted:
    raise FileUnreadable(code="file_too_large")


def refuses_strangely(path: Path, limits: ExtractionLimits) -> Extracted:
    error = FileUnreadable()
    error.code = 7  # type: ignore[assignment]  a handler may pass anything
    error.params = None  # type: ignore[assignment]  a handler may pass anything
    raise error


def returns_none(path: Path, limits: ExtractionLimits) -> Any:
    return None


def returns_text(path: Path, limits: ExtractionLimits) -> Any:
    return path.read_text()


def returns_wrong_fields(path: Path, limits: ExtractionLimits) -> Any:
    return Extracted("text", pages="3")  # type: ignore[arg-type]  a handler may pass anything


def returns_wrong_text(path: Path, limits: ExtractionLimits) -> Any:
    return Extracted(b"text")  # type: ignore[arg-type]  a handler may pass anything


def returns_wrong_pictures(path: Path, limits: ExtractionLimits) -> Any:
    return Extracted("text", pictures=(b"jpeg",))  # type: ignore[arg-type]  a handler may pass anything


def imports_missing(path: Path, limits: ExtractionLimits) -> Extracted:
    import no_such_module.part  # type: ignore[import-not-found]  # noqa: PLC0415  fails when it runs

    return Extracted(str(no_such_module))
