"""The standard output while plugins are loaded.

A shell command may print JSON there, which output of a plugin would break.
"""

import os
import sys
from collections.abc import Collection, Generator
from contextlib import contextmanager, redirect_stdout, suppress

__all__ = ["stdout_kept"]

_STDOUT, _STDERR = 1, 2


@contextmanager
def stdout_kept() -> Generator[None]:
    """Have everything that is written to the standard output in the block appear on the standard error.

    ``print`` writes to ``sys.stdout``, while native code and child processes write to the file descriptor.
    """
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    try:
        kept = os.dup(_STDOUT)
    except OSError:
        # It is closed, as in a service.
        with redirect_stdout(sys.stderr):
            yield
        return
    before = set(sys.modules)
    try:
        with suppress(OSError):
            os.dup2(_STDERR, _STDOUT)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        if _is_native_loaded(sys.modules.keys() - before):
            _flush_native()
        os.dup2(kept, _STDOUT)
        os.close(kept)


def _is_native_loaded(names: Collection[str]) -> bool:
    """Return whether native code of other packages may have been loaded by the import of these modules."""
    # With ctypes a module can call any library.
    if "ctypes" in sys.modules:
        return True
    files = (getattr(sys.modules.get(name), "__file__", None) for name in names)
    return any(isinstance(file, str) and file.endswith((".so", ".dylib")) for file in files)


def _flush_native() -> None:
    """Write what native code has printed: its library keeps it, in a pipe until the end of the process."""
    import ctypes  # noqa: PLC0415  few plugins load native code

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).fflush(None)
