"""Standard streams that can't be written, such as a file on a full disk or a terminal that is gone."""

import errno
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

from tgllm.api.errors import TgllmError

__all__ = ["OutputFailed", "flush_streams", "writing"]


class OutputFailed(TgllmError):
    """The standard output can't be written."""


@contextmanager
def writing() -> Generator[None]:
    """Write to the standard output in a block.

    Raises:
        OutputFailed: it can't be written.
        BrokenPipeError: its reader is gone, which ends a command without a message.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        raise OutputFailed(f"the output can't be written: {error.strerror or error}") from None


def flush_streams(code: int) -> int:
    """Write what the standard streams still hold, at the end; what can't be written is dropped.

    Otherwise Python tries to write it when it exits, prints an error of its own and exits with 120.

    Returns:
        The exit code, which is 1 for a command that has not failed but whose output is lost.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _drop(stream.fileno())
            if stream is sys.stdout:
                code = code or 1
    return code


def _drop(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
