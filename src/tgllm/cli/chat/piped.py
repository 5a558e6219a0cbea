"""What is piped into the command: text for the question, or a file."""

import os
import stat
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tgllm.plugins.builtin.files.shared.encoding import HEAD, is_text

__all__ = ["Piped", "read_piped"]

WAIT_SECONDS = 3.0
"""Time without any input after which a person is told what the command waits for."""
CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Piped:
    """Content of the standard input."""

    content: bytes
    text: str | None
    """None if it is no text in UTF-8."""


def read_piped(most: int, waiting: Callable[[], None]) -> Piped | None:
    """Read the standard input to its end; None if it is a terminal or empty.

    Args:
        most: bytes after which it is too large; one more is read.
        waiting: called if nothing comes for a while: a program that runs the command may keep its input open.
    """
    try:
        is_terminal = sys.stdin.isatty()
        number = sys.stdin.fileno()
    except (ValueError, OSError):
        return None
    if is_terminal:
        return None
    timer = threading.Timer(WAIT_SECONDS, waiting)
    timer.daemon = True
    if not stat.S_ISREG(os.fstat(number).st_mode):
        timer.start()
    pieces: list[bytes] = []
    size = 0
    try:
        while size <= most and (piece := os.read(number, CHUNK)):
            timer.cancel()
            pieces.append(piece)
            size += len(piece)
    except OSError:
        # Such as a closed descriptor.
        pass
    finally:
        timer.cancel()
    content = b"".join(pieces)
    return Piped(content, _text(content)) if content.strip() else None


def _text(content: bytes) -> str | None:
    if not is_text(content[:HEAD]):
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
