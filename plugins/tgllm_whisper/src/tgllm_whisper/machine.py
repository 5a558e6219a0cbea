"""CPUs and memory of this machine, within the limits of its container (cgroup v2)."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["cpu_count", "default_threads", "free_memory"]

_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")
_KIBIBYTE = 1024


def default_threads(cpus: int) -> int:
    """Return the threads for a number of CPUs: all but one, which the bot needs."""
    return max(1, cpus - 1)


def cpu_count(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int:
    """Return the number of CPUs that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    limits = [limit for group in _groups(proc, cgroups) if (limit := _cpus(group)) is not None]
    return max(1, min([count, *limits]))


def free_memory(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int | None:
    """Return the bytes of memory that a new process can use without swapping; None if the system does not say."""
    known = [_available(proc), *(_free(group) for group in _groups(proc, cgroups))]
    return min((value for value in known if value is not None), default=None)


def _groups(proc: Path, cgroups: Path) -> Iterator[Path]:
    """Yield the cgroup of this process, and those that contain it."""
    lines = _read(proc / "self" / "cgroup").splitlines()
    name = next((line[3:].strip("/") for line in lines if line.startswith("0::")), None)
    if name is None:
        return
    group = cgroups / name
    yield from (folder for folder in (group, *group.parents) if folder == cgroups or cgroups in folder.parents)


def _available(proc: Path) -> int | None:
    for line in _read(proc / "meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            number = _number(line.split()[1])
            return None if number is None else number * _KIBIBYTE
    return None


def _free(group: Path) -> int | None:
    limit, used = _number(_read(group / "memory.max")), _number(_read(group / "memory.current"))
    if limit is None or used is None:
        return None
    stat = dict(line.split(maxsplit=1) for line in _read(group / "memory.stat").splitlines() if " " in line)
    # Cached files that the kernel drops before it kills a process.
    return max(0, limit - used + (_number(stat.get("inactive_file", "0")) or 0))


def _cpus(group: Path) -> int | None:
    quota, _, period = _read(group / "cpu.max").partition(" ")
    allowed, span = _number(quota), _number(period)
    return math.ceil(allowed / span) if allowed and span else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None
