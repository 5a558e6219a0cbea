"""Limits of a reading process, set by itself; on systems without them, it runs without.

The bot also enforces the time from outside. These limits hold within one call of C code too, and if the bot is gone.
"""

import math
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

__all__ = ["begin", "die_with_the_bot", "end", "end_descendants", "is_grown", "limit_process"]

MOST_FILE_BYTES = 64 * 2**20
"""Maximum size of a file that a handler writes."""
MOST_KEPT_BYTES = 256 * 2**20
"""Resident memory from which on the process is replaced after a task."""
_NICENESS = 10
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38  # linux/prctl.h
_THREADS = Path("/proc/self/task")


def limit_process() -> None:
    """Set the limits that hold for all tasks."""
    # Ctrl-C and a service manager signal all processes; the bot decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.umask(0o077)
    with suppress(OSError, AttributeError):
        # The answers to other chats go first.
        os.nice(_NICENESS)
    with suppress(OSError):
        # If memory is short, the kernel ends this process and not the bot.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    # Processes that a handler leaves behind become children of this one, which ends them.
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _limit("RLIMIT_CORE", 0)
    _limit("RLIMIT_FSIZE", MOST_FILE_BYTES)


def die_with_the_bot() -> None:
    """End with the bot, also by SIGKILL; elsewhere than on Linux, this process ends when its input ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL if sys.platform == "linux" else 0)
    if hasattr(os, "register_at_fork"):
        # The kernel forgets it in a forked process.
        os.register_at_fork(after_in_child=lambda: _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL))


def begin(seconds: float, memory_bytes: int) -> None:
    """Set the limits of a task."""
    _limit("RLIMIT_AS", memory_bytes)
    # Each core may work all the time. Unlike the alarm, this limit also holds for processes that a handler starts.
    _limit("RLIMIT_CPU", math.ceil(_cpu_seconds() + seconds * max(2, os.cpu_count() or 1)) + 1)
    if hasattr(signal, "alarm"):
        # The default action of SIGALRM ends the process. The bot's own limit comes first.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(math.ceil(seconds) + 2)


def end() -> None:
    """Remove the limits of a task, so that its result can be sent."""
    if hasattr(signal, "alarm"):
        signal.alarm(0)
    _limit("RLIMIT_AS", None)
    _limit("RLIMIT_CPU", None)


def end_descendants() -> bool:
    """End the processes that a handler has started; return whether there were any."""
    found = False
    # The children of an ended one become children of this process.
    while children := _children():
        found = True
        for pid in children:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            with suppress(OSError):
                os.waitpid(pid, 0)
    return found


def is_grown(memory_bytes: int) -> bool:
    """Return whether the process holds so much memory that the next task could lack it."""
    with suppress(OSError, ValueError):
        size, resident = Path("/proc/self/statm").read_text(encoding="ascii").split()[:2]
        page = os.sysconf("SC_PAGE_SIZE")
        return int(resident) * page > MOST_KEPT_BYTES or int(size) * page > memory_bytes // 2
    return False


def _children() -> list[int]:
    found: list[int] = []
    # OSError: a thread has ended, or the system has no /proc.
    with suppress(OSError, ValueError):
        for children in _THREADS.glob("*/children"):
            found += [int(pid) for pid in children.read_text(encoding="ascii").split()]
    return found


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system


def _limit(name: str, most: int | None) -> None:
    """Set a soft limit; None removes it."""
    with suppress(ImportError, AttributeError, OSError, ValueError):
        import resource  # noqa: PLC0415  not on Windows

        kind: int = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        soft = hard if most is None else most
        resource.setrlimit(kind, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _prctl(option: int, value: int) -> None:
    if sys.platform != "linux":
        return
    with suppress(ImportError, OSError, AttributeError):
        import ctypes  # noqa: PLC0415  only Linux needs it

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
