"""Limits on lines of the log that repeat: failures of one kind, and lines of one plugin."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from tgllm.api.clock import Clock
from tgllm.observe.metrics.table import LOG_LINES

__all__ = ["Repetitions"]

SECONDS: Final = 1.0
FAILURES: Final = 5
"""Failures of one kind in a row that are written at once; then there is one line a second."""
PLUGIN_LINES: Final = 100
"""Lines of one plugin that are written in a second."""
_MOST_KINDS: Final = 256

_FAILURE_LEVELS: Final = frozenset({"warning", "error", "critical"})
_OF_ONE_CASE: Final = frozenset({"timestamp", "turn", "user", "chat", "update_id", "outbox", "error_id"})
"""Fields in which failures of one kind differ; numbers are such fields too."""

Line = MutableMapping[str, object]
Kind = tuple[object, ...]


@dataclass(slots=True)
class _Seen:
    """Lines of one kind since the window began."""

    since: float
    written: int = 0
    held_back: int = 0
    last: Line = field(default_factory=dict[str, object])


class Repetitions:
    """Processor that holds back lines and counts them; the next line of the log after a second tells how many."""

    def __init__(self, clock: Clock, write: Callable[[Line], None]) -> None:
        """Set the clock, and the function that writes the line which tells the number."""
        self._clock = clock
        self._write = write
        self._seen: OrderedDict[Kind, _Seen] = OrderedDict()
        self._waiting = False
        self._lock = threading.Lock()

    def __call__(self, _logger: object, _method: str, line: Line) -> Line:
        """Return the line, or raise ``DropEvent`` if it is held back."""
        level = str(line.get("level"))
        is_failure = level in _FAILURE_LEVELS
        if is_failure:
            LOG_LINES.add(level)
        is_of_plugin = str(line.get("logger_name")).startswith("plugin.")
        if not (is_failure or is_of_plugin or self._waiting):
            return line
        with self._lock:
            now = self._clock.monotonic()
            self._tell(now - SECONDS)
            if is_of_plugin and self._is_over(("plugin", line.get("logger_name")), PLUGIN_LINES, line, now):
                raise structlog.DropEvent
            if is_failure and self._is_over(_kind(line), FAILURES, line, now):
                raise structlog.DropEvent
        return line

    def flush(self) -> None:
        """Write the numbers of the lines that are held back."""
        with self._lock:
            self._tell(self._clock.monotonic())
            self._seen.clear()

    def _is_over(self, kind: Kind, most: int, line: Line, now: float) -> bool:
        seen = self._seen.get(kind)
        if seen is None or now - seen.since >= SECONDS:
            seen = self._seen[kind] = _Seen(now)
            self._seen.move_to_end(kind)
            if len(self._seen) > _MOST_KINDS:
                self._tell_one(*self._seen.popitem(last=False))
        if seen.written < most:
            seen.written += 1
            return False
        seen.held_back += 1
        seen.last = dict(line)
        self._waiting = True
        return True

    def _tell(self, until: float) -> None:
        """Write the numbers of windows that began before; a kind that goes on has one line a second from now on."""
        if not self._waiting:
            return
        for kind, seen in self._seen.items():
            if seen.held_back and seen.since <= until:
                self._tell_one(kind, seen)
                # Nothing else of this kind is written in the second that begins now.
                most = PLUGIN_LINES if kind[0] == "plugin" else FAILURES
                seen.since, seen.written, seen.held_back = until + SECONDS, most, 0
        self._waiting = any(seen.held_back for seen in self._seen.values())

    def _tell_one(self, kind: Kind, seen: _Seen) -> None:
        if not seen.held_back:
            return
        if kind[0] == "plugin":
            about = {name: seen.last[name] for name in ("logger_name", "level", "timestamp") if name in seen.last}
            self._write({"event": "log.suppressed", "lines": seen.held_back, **about})
        else:
            self._write({**seen.last, "repeated": seen.held_back})


def _kind(line: Mapping[str, object]) -> Kind:
    return tuple(
        sorted((name, value) for name, value in line.items() if isinstance(value, str) and name not in _OF_ONE_CASE)
    )
