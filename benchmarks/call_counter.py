"""Counting of calls of a package's functions in all threads, with Python's profile hook."""

import asyncio
import dis
import importlib.util
import os
import sys
import threading
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FrameType

__all__ = ["CallCounter", "Calls", "counting_calls"]

QUIET_SECONDS = 0.02
QUIET_LOOKS = 10
"""The bot is idle after this many checks in a row, ``QUIET_SECONDS`` apart, without a further call."""

_LOOP_CALLBACK = asyncio.events.Handle._run.__code__  # noqa: SLF001  frames above it in a stack are the event loop


@dataclass(frozen=True, slots=True)
class Calls:
    """Summary of recorded calls."""

    modules: tuple[str, ...]
    """The entered modules, by path in the package, such as ``db/tables/users.py``."""
    calls: int
    """Call events of the profile hook: a coroutine or generator counts once more each time it is resumed."""
    begun: int
    """Call events without those of resumed coroutines and generators."""
    across: int
    """Those of ``calls`` that came from another module of the package, directly or through other libraries."""
    functions: Mapping[str, int]
    """Started calls, by qualified name."""

    @property
    def layers(self) -> Mapping[str, int]:
        """Number of entered modules by the first part of their paths; the largest first."""
        return dict(Counter(name.split("/")[0].removesuffix(".py") for name in self.modules).most_common())


class CallCounter:
    """Records calls within a block of ``counting_calls``."""

    def __init__(self, package: str, leave_out: str) -> None:
        """Find the package, without importing it; ``leave_out`` is a folder in it."""
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise LookupError(f"there is no package {package}")
        root = Path(spec.submodule_search_locations[0])
        self._root = f"{root}{os.sep}"
        self._left_out = f"{root / leave_out}{os.sep}"
        # Several threads append to it; append is atomic.
        self._seen: list[tuple[CodeType, bool, str | None]] = []

    def reset(self) -> None:
        """Discard the calls recorded so far."""
        self._seen.clear()

    def calls(self) -> Calls:
        """Return a summary of the calls since the last reset."""
        seen, root = self._seen.copy(), len(self._root)
        return Calls(
            modules=tuple(sorted({code.co_filename[root:].replace(os.sep, "/") for code, _, _ in seen})),
            calls=len(seen),
            begun=sum(begins for _, begins, _ in seen),
            across=sum(caller is not None and caller != code.co_filename for code, _, caller in seen),
            functions=dict(Counter(code.co_qualname for code, begins, _ in seen if begins)),
        )

    async def quiet(self) -> None:
        """Wait until no more calls are recorded."""
        looks = 0
        while looks < QUIET_LOOKS:
            before = len(self._seen)
            await asyncio.sleep(QUIET_SECONDS)
            looks = looks + 1 if len(self._seen) == before else 0

    def hook(self, frame: FrameType, event: str, _arg: object) -> None:
        """Record a call event; see ``sys.setprofile``."""
        code = frame.f_code
        # The body of a module runs once in a process, when it is loaded, and is not a call.
        if event != "call" or not self._is_counted(code.co_filename) or code.co_name == "<module>":
            return
        callers = [name for name in _callers(frame) if name.startswith(self._root)]
        if all(map(self._is_counted, callers)):
            self._seen.append((code, frame.f_lasti <= _beginning(code), callers[0] if callers else None))

    def _is_counted(self, filename: str) -> bool:
        return filename.startswith(self._root) and not filename.startswith(self._left_out)


def _callers(frame: FrameType) -> Iterator[str]:
    """Yield the files of a frame's callers, the nearest first, up to the event loop."""
    above = frame.f_back
    while above is not None and above.f_code is not _LOOP_CALLBACK:
        yield above.f_code.co_filename
        above = above.f_back


@cache
def _beginning(code: CodeType) -> int:
    """Return the offset at which a call starts; a resumed frame is beyond it."""
    return next((it.offset for it in dis.get_instructions(code) if it.opname == "RESUME"), 0)


@contextmanager
def counting_calls(package: str = "tgllm", *, leave_out: str = "testing") -> Generator[CallCounter]:
    """Record calls in this thread, and in threads that start within the block.

    Args:
        package: the package whose functions are counted.
        leave_out: a folder in it whose calls, direct or indirect, are ignored.
    """
    counter, before = CallCounter(package, leave_out), (sys.getprofile(), threading.getprofile())
    threading.setprofile(counter.hook)
    sys.setprofile(counter.hook)
    try:
        yield counter
    finally:
        sys.setprofile(before[0])
        threading.setprofile(before[1])
