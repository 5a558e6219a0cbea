"""Keeps all that is logged while a provider works, by whichever way it was logged."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["RecordedLog", "recorded_logging"]


@dataclass(slots=True)
class RecordedLog:
    """A ``tgllm.api.Log`` that keeps its lines."""

    lines: list[str] = field(default_factory=list[str])

    def debug(self, event: str, **values: object) -> None:
        """Keep a line."""
        self._keep(event, values)

    def info(self, event: str, **values: object) -> None:
        """Keep a line."""
        self._keep(event, values)

    def warning(self, event: str, **values: object) -> None:
        """Keep a line."""
        self._keep(event, values)

    def error(self, event: str, **values: object) -> None:
        """Keep a line."""
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
    """Let the standard library's logging, down to its debug level, add to ``lines`` while the block runs."""
    root = logging.getLogger()
    level, handler = root.level, _Handler(lines)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
