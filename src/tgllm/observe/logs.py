"""Loggers, and configuration of the log.

structlog is imported when logging is configured, or else with the first line: most shell commands log nothing.
"""

import logging
import sys
import warnings
from contextlib import AbstractContextManager, nullcontext
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO, cast

from tgllm.observe.content import is_handling, without_content
from tgllm.observe.redaction import redact

if TYPE_CHECKING:
    from types import ModuleType

    from tgllm.api.clock import Clock
    from tgllm.api.context import Log

__all__ = ["LogFormat", "LogLevel", "configure_logging", "flush_logging", "get_logger", "log_values", "quiet_logging"]

LogFormat = Literal["json", "console", "auto"]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]

_QUIET: Final = (
    "PIL",
    "aiogram",
    "aiohttp",
    "anthropic",
    "apscheduler",
    "asyncio",
    "google_genai",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "mistralai",
    "openai",
    "urllib3",
)
"""Libraries that log a line for every request; the URLs in those lines contain tokens."""


def get_logger(name: str) -> "Log":
    """Return a logger; ``name`` is the part of the program that logs."""
    return cast("Log", _Logger(name))


def log_values(**values: object) -> AbstractContextManager[None]:
    """Add values such as ``turn_id`` to every line logged inside the block and by tasks started in it."""
    if _Waiting.stream is not None:
        # A shell command, whose lines are not written.
        return nullcontext()
    return _pipeline().log_values(**values)


def configure_logging(
    log_format: LogFormat = "auto",
    level: LogLevel = "info",
    stream: TextIO | None = None,
    clock: "Clock | None" = None,
) -> None:
    """Write the log to ``stream`` (standard output by default), from ``level`` up.

    ``auto`` means ``console`` if the stream is a terminal, else ``json``: one object a line, with the time in UTC.
    """
    target = stream or sys.stdout
    console = log_format == "console" or (log_format == "auto" and target.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    _Waiting.stream = None
    _pipeline().configure(number, target, console=console, clock=clock)
    _take_libraries(number)
    if number < logging.CRITICAL:
        warnings.showwarning = _log_warning


def flush_logging() -> None:
    """Write how many repeated lines are held back; the last thing of a program."""
    if "structlog" in sys.modules:
        _pipeline().flush()


def quiet_logging(stream: TextIO) -> None:
    """Write critical lines of libraries to ``stream``; those are below this level that the program itself writes."""
    if "structlog" in sys.modules:
        configure_logging("console", "critical", stream)
        return
    _Waiting.stream = stream
    _take_libraries(logging.CRITICAL)


class _Waiting:
    """Configuration by ``quiet_logging`` that is applied when structlog is imported."""

    stream: TextIO | None = None


class _Logger:
    """Logger that imports structlog with its first line."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401  whatever structlog's has
        if method in _BELOW_CRITICAL and _Waiting.stream is not None:
            return _write_nothing
        return getattr(_pipeline().logger(self._name), method)


_BELOW_CRITICAL: Final = frozenset({"debug", "info", "warning", "error"})


def _write_nothing(_event: str, **_values: object) -> None:
    return


def _pipeline() -> "ModuleType":
    from tgllm.observe import pipeline  # noqa: PLC0415  imports structlog, which imports a good deal

    stream, _Waiting.stream = _Waiting.stream, None
    if stream is not None:
        pipeline.configure(logging.CRITICAL, stream, console=True)
    return pipeline


def _take_libraries(level: int) -> None:
    """Route the standard library's loggers through ours."""
    logging.basicConfig(handlers=[_ToOurs()], level=level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,  # noqa: ARG001  the signature of warnings.showwarning
    line: str | None = None,  # noqa: ARG001  the signature of warnings.showwarning
) -> None:
    place = f"{PurePath(filename).name}:{lineno}"
    _Logger("py.warnings").warning("python.warning", category=category.__name__, message=str(message), place=place)


class _ToOurs(logging.Handler):
    """Handler that passes records of the standard library's loggers to ours, for one line format."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # Wrong arguments for the format; logging's own error message would show them unredacted.
            message = redact(str(record.msg))
        if record.levelno >= logging.WARNING and is_handling() and not logging.getLogger().isEnabledFor(logging.DEBUG):
            message = without_content(message)
        _Logger(record.name).log(record.levelno, message, exc_info=record.exc_info)
