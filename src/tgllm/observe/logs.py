"""Sets the log up: structlog for our own lines, and the standard library's loggers routed through it."""

import codecs
import io
import logging
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager, suppress
from typing import Final, Literal, TextIO, cast

import structlog

from tgllm.api.context import Log
from tgllm.observe.redaction import redact, redacted_value

__all__ = ["LogFormat", "LogLevel", "configure_logging", "get_logger", "log_values"]

LogFormat = Literal["json", "console", "auto"]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]

_QUIET: Final = (
    "PIL",
    "aiogram",
    "aiohttp",
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
"""Libraries that write a line for every request; those lines hold addresses, and addresses hold tokens."""


def get_logger(name: str) -> Log:
    """A logger; ``name`` is the part of the program that speaks."""
    return cast("Log", structlog.get_logger(logger_name=name))


def log_values(**values: object) -> AbstractContextManager[None]:
    """Add values, such as ``turn_id`` or ``update_id``, to every line written inside, also by tasks begun there."""
    return cast("AbstractContextManager[None]", structlog.contextvars.bound_contextvars(**values))


def configure_logging(log_format: LogFormat = "auto", level: LogLevel = "info", stream: TextIO | None = None) -> None:
    """Write the log to ``stream`` (standard output by default), from ``level`` up.

    ``auto`` is for people when the stream is a terminal, and JSON otherwise: one object a line, with the time in UTC.
    """
    target = stream or sys.stdout
    console = log_format == "console" or (log_format == "auto" and target.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_line,
            _console_renderer(target) if console else _json_renderer(target),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Unfailing(target))),
        # A cached logger would go on writing to an earlier stream.
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_ThroughStructlog()], level=number, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


class _Unfailing:
    """Writes what can be written: a full disk or a closed pipe under the log must not stop the bot."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):
            # A letter that the terminal's encoding lacks, or half a surrogate pair, is written as an escape.
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def _json_renderer(stream: TextIO) -> structlog.types.Processor:
    unicode = codecs.lookup(stream.encoding or "utf-8").name == "utf-8"
    return structlog.processors.JSONRenderer(ensure_ascii=not unicode)


def _console_renderer(stream: TextIO) -> structlog.types.Processor:
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)


def _redact_line(_logger: object, _method: str, line: MutableMapping[str, object]) -> Mapping[str, object]:
    return {name: redacted_value(name, value) for name, value in line.items()}


class _ThroughStructlog(logging.Handler):
    """Hands the records of the standard library's loggers to structlog, so that all lines look alike."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # Wrong arguments for the format; logging's own complaint about that would show them unredacted.
            message = redact(str(record.msg))
        structlog.get_logger(logger_name=record.name).log(record.levelno, message, exc_info=record.exc_info)
