"""Selection of the tests that run on every supported Python: ``pytest --portable``.

All tests run on one Python. On the newest of the others run those that can give another result there: the folders and
modules below in whole, and of every other module of tests the first test, so that every part of the program is imported
and used. On the versions between, the first test of every module is enough.
"""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final, Protocol, TypeVar

__all__ = ["WHOLE", "portable"]

WHOLE: Final = (
    # The contract, and code that reads plugins with the interpreter's own means: imports, signatures, annotations.
    "tests/api",
    "tests/plugins",
    "tests/test_architecture.py",
    # Event loop, cancellation, signals, threads, processes, garbage collector.
    "tests/bot/renderer",
    "tests/bot/telegram/test_session.py",
    "tests/integration",
    "tests/providers/test_transport.py",
    "tests/scheduler",
    "tests/services/reading",
    "tests/test_blocked_loop.py",
    "tests/test_collector.py",
    "tests/test_shutdown.py",
    "tests/test_smoke.py",
    # Modules of the standard library that changed between versions: sqlite3, logging and traceback.
    "tests/db/engine",
    "tests/db/file",
    "tests/observe",
    # Providers, which are published on their own.
    "plugins",
)
"""Folders and modules of tests that depend on the version of Python."""
ALIKE: Final = (
    # Readers: their libraries decide what is read, and the interpreter little.
    "tests/plugins/builtin/files",
    "tests/services/reading/test_pictures.py",
    # Its child process is made like that of tgllm_local.
    "plugins/tgllm_whisper",
    # Kills of the program while it handles files, which take long.
    "tests/integration/test_pictures.py",
    "tests/integration/test_sent_files.py",
)
"""Parts of those folders of which the first test of each module is enough."""
ELSEWHERE: Final = frozenset({"once", "packaging", "postgres", "real_model", "samples"})
"""Markers of tests that other Pythons don't run."""


class Item(Protocol):
    """A collected test, as pytest has it."""

    nodeid: str

    def get_closest_marker(self, name: str) -> object | None:
        """Return a marker; None if the test has none of that name."""
        ...


T = TypeVar("T", bound=Item)


def portable(items: Iterable[T], *, only_first: bool = False) -> tuple[Sequence[T], Sequence[T]]:
    """Return the tests to run and the tests to leave out, both in the given order.

    Args:
        items: all tests.
        only_first: whether the first test of each module is enough, also of the parts that are run in whole otherwise.
    """
    kept, left_out, seen = list[T](), list[T](), set[str]()
    for item in items:
        module = item.nodeid.partition("::")[0]
        if any(item.get_closest_marker(name) is not None for name in ELSEWHERE):
            left_out.append(item)
        elif module not in seen or (is_whole(module) and not only_first):
            kept.append(item)
            seen.add(module)
        else:
            left_out.append(item)
    return kept, left_out


def is_whole(module: str) -> bool:
    """Return whether all tests of a module run on every Python; paths are relative to the root."""
    path = PurePosixPath(module)
    if any(path.is_relative_to(alike) for alike in ALIKE):
        return False
    return any(path.is_relative_to(whole) for whole in WHOLE)
