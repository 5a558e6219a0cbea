"""Signals at the prompt: keeps one from waiting for the next key."""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

__all__ = ["signals_are_seen"]

PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds before each call that wakes the prompt."""
_WAKE: Final = signal.SIGURG
"""Ignored by default, and of no other use here."""


@contextmanager
def signals_are_seen() -> Generator[None]:
    """Wake ``input()`` after a signal that it may have missed.

    ``input()`` shows the prompt, and then waits for a key or a signal. A signal in between is only noted by Python,
    which acts on it when the wait is interrupted: by the next key, or by another signal, which is sent here.

    It does nothing outside of the main thread, which alone gets signals. No other user of ``signal.set_wakeup_fd`` may
    be active.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    main = threading.get_ident()
    read, write = os.pipe()
    os.set_blocking(write, False)
    ended = threading.Event()

    def wake() -> None:
        while number := os.read(read, 1):
            if number[0] == _WAKE:
                continue
            for pause in PAUSES:
                if ended.wait(pause):
                    return
                signal.pthread_kill(main, _WAKE)

    former_handler = signal.signal(_WAKE, lambda _number, _frame: None)
    former_file = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    thread = threading.Thread(target=wake, name="signals at the prompt", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        signal.set_wakeup_fd(former_file)
        # Its end is what ends the thread.
        os.close(write)
        thread.join()
        os.close(read)
        signal.signal(_WAKE, former_handler)
