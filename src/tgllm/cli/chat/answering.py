"""One answer in the terminal: its display, and Ctrl-C, which stops it."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from tgllm.cli.chat.display import DRAW_SECONDS, Display
from tgllm.cli.chat.session import Asked, End
from tgllm.cli.output import OutputFailed, writing
from tgllm.services.conversations.turn import TurnOutcome

__all__ = ["follow"]

ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class _Stops:
    """Signals that arrive during an answer."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self.ended_by: int | None = None
        self._has_stopped = False

    def interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self._has_stopped:
            # What is stored is complete at any time.
            raise KeyboardInterrupt
        self._has_stopped = True
        self._asked.stop()

    def end(self, number: int, _frame: FrameType | None) -> None:
        self.ended_by = number
        self._asked.stop(shutdown=True)


def follow(asked: Asked, display: Display) -> TurnOutcome:
    """Show an answer until it is stored. Ctrl-C stops it, with the text so far; a second Ctrl-C does not wait for that.

    Raises:
        KeyboardInterrupt: a second Ctrl-C.
        SystemExit: SIGTERM, or the terminal is closed; the text so far is stored.
        OutputFailed: the output can't be written; the text so far is stored.
        BrokenPipeError: the output is closed; the same.
        DatabaseError: the answer can't be stored.
    """
    stops = _Stops(asked)
    with _handling(stops):
        try:
            with writing():
                while not isinstance(event := asked.next(DRAW_SECONDS), End):
                    if event is None:
                        display.tick()
                    else:
                        display.show(event)
                outcome = asked.outcome()
                display.end(outcome.text)
        except (OutputFailed, OSError):
            asked.stop()
            asked.outcome()
            raise
    if stops.ended_by is not None:
        raise SystemExit(128 + stops.ended_by)
    return outcome


@contextmanager
def _handling(stops: _Stops) -> Generator[None]:
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, *ENDING)}
    signal.signal(signal.SIGINT, stops.interrupt)
    for number in ENDING:
        if former[number] != signal.SIG_IGN:
            signal.signal(number, stops.end)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
