"""Recording of the log during a test, from the plugin's log and from the standard library's logging."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["RecordedLog", "recorded_logging"]


@dataclass(slots=True)
class RecordedLog:
    """A ``tgllm.api.Log`` that records its lines."""

    lines: list[str] = field(default_factory=list[str])

    def debug(self, event: str, **values: object) -> None:
        """Record a line."""
        self._keep(event, values)

    def info(self, event: str, **values: object) -> None:
        """Record a line."""
        self._keep(event, values)

    def warning(self, event: str, **values: object) -> None:
        """Record a line."""
        self._keep(event, values)

    def error(self, event: str, **values: object) -> None:
        """Record a line."""
        self._keep(event, values)

    def _keep(self, event: str, values: dict[str, object]) -> None:
        self.lines.append(f"{event} {values!r}")


class _Handler(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


@contextmanager
def recorded_logging(lines: list[str]) -> Generator[None, None, None]:
    """Append all records of the standard library's logging, down to level DEBUG, to ``lines``."""
    root = logging.getLogger()
    level, handler = root.level, _Handler(lines)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
