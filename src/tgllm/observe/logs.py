"""Log setup: structlog, with the standard library's loggers routed through it."""

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
"""Libraries that log a line for every request; the URLs in those lines contain tokens."""


def get_logger(name: str) -> Log:
    """Return a logger; ``name`` is the part of the program that logs."""
    return cast("Log", structlog.get_logger(logger_name=name))


def log_values(**values: object) -> AbstractContextManager[None]:
    """Add values such as ``turn_id`` to every line logged inside the block and by tasks started in it."""
    return cast("AbstractContextManager[None]", structlog.contextvars.bound_contextvars(**values))


def configure_logging(log_format: LogFormat = "auto", level: LogLevel = "info", stream: TextIO | None = None) -> None:
    """Write the log to ``stream`` (standard output by default), from ``level`` up.

    ``auto`` means ``console`` if the stream is a terminal, else ``json``: one object a line, with the time in UTC.
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
        # A cached logger would keep writing to an earlier stream.
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_ThroughStructlog()], level=number, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


class _Unfailing:
    """Stream wrapper that ignores write errors: a full disk or a closed pipe must not stop the bot."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):
            # A character outside the terminal's encoding, or a lone surrogate, is written as an escape.
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
    """Handler that passes records of the standard library's loggers to structlog, for one line format."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # Wrong arguments for the format; logging's own error message would show them unredacted.
            message = redact(str(record.msg))
        structlog.get_logger(logger_name=record.name).log(record.levelno, message, exc_info=record.exc_info)
