"""Ctrl-C while the program loads: it ends at once and in silence, without a traceback of whatever was imported."""

import os
import signal
from types import FrameType

__all__ = ["end_in_silence", "raise_interrupts"]


def end_in_silence() -> None:
    """Let SIGINT end the process while nothing has begun that would need a clean end.

    Until ``raise_interrupts``, or until the bot handles its signals. A SIGINT that is ignored stays ignored (nohup, and
    background jobs of a shell).
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_interrupts() -> None:
    """Let SIGINT raise KeyboardInterrupt again, for a command that has something to clean up."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)
