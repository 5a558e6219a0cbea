"""The structlog pipeline of the log: redaction, escapes and renderers."""

import codecs
import io
import logging
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager, suppress
from textwrap import indent
from typing import Final, TextIO, cast

from tgllm.api.clock import Clock, SystemClock
from tgllm.observe.content import is_handling, without_content
from tgllm.observe.light_structlog import structlog
from tgllm.observe.redaction import redacted_value
from tgllm.observe.repetition import Repetitions
from tgllm.observe.visible import visible, visible_json

__all__ = ["configure", "flush", "log_values", "logger"]

MOST_CHARS: Final = 20_000
"""Maximum length of a value; the middle of a longer one is left out."""
_OWN: Final = frozenset({"level", "timestamp"})
"""Fields that the pipeline itself has set."""
_OF_FAILURES: Final = frozenset({"warning", "error", "critical"})
_MESSAGES: Final = ("error", "exception", "message", "reason")
"""Fields with the words of an exception."""
_SEVERAL_LINES: Final = frozenset({"exception", "stack"})


def logger(name: str) -> object:
    """Return a structlog logger."""
    return structlog.get_logger(logger_name=name)


def log_values(**values: object) -> AbstractContextManager[None]:
    """See ``tgllm.observe.logs``."""
    return cast("AbstractContextManager[None]", structlog.contextvars.bound_contextvars(**values))


class _Flow:
    """What holds back repeated lines of the configured log."""

    repetitions: Repetitions | None = None


def flush() -> None:
    """Write how many lines are held back."""
    if _Flow.repetitions is not None:
        _Flow.repetitions.flush()


def configure(level: int, target: TextIO, *, console: bool, clock: Clock | None = None) -> None:
    """Write lines from ``level`` up to ``target``: for people (``console``), or as JSON."""
    stream = _Unfailing(target)
    render = _console_renderer(target) if console else _json_renderer(target)

    def write(line: MutableMapping[str, object]) -> None:
        stream.write(f"{render(None, '', line)}\n")
        stream.flush()

    _Flow.repetitions = Repetitions(clock or SystemClock(), write)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([_hide_content] if level > logging.DEBUG else []),
            structlog.processors.format_exc_info,
            _redact_line,
            *([_visible_line] if console else []),
            _Flow.repetitions,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", stream)),
        # A cached logger would keep writing to an earlier stream.
        cache_logger_on_first_use=False,
    )


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
    render = structlog.processors.JSONRenderer(ensure_ascii=not unicode)
    return lambda logger, method, line: visible_json(str(render(logger, method, line)))


def _console_renderer(stream: TextIO) -> structlog.types.Processor:
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)


def _visible_line(_logger: object, _method: str, line: MutableMapping[str, object]) -> Mapping[str, object]:
    return {visible(name): _visible_value(name, value) for name, value in line.items()}


def _visible_value(name: str, value: object) -> object:
    """Return a value without line ends; a traceback is indented, so that none of its lines looks like a log line."""
    if not isinstance(value, str):
        # The renderer shows collections with repr, which escapes all of these characters.
        return value
    return indent(visible(value), "  ") if name in _SEVERAL_LINES else visible(value).replace("\n", "\\n")


def _hide_content(logger: object, method: str, line: MutableMapping[str, object]) -> Mapping[str, object]:
    """Replace what people wrote in the messages of errors, which libraries and plugins log as they are."""
    error = _error_of(line.get("exc_info"))
    if line.get("level") not in _OF_FAILURES or not is_handling(error):
        return line
    line = structlog.processors.format_exc_info(logger, method, line)
    messages = {name: text for name in _MESSAGES if isinstance(text := line.get(name), str) and text}
    return {**line, **{name: without_content(text, error) for name, text in messages.items()}}


def _error_of(info: object) -> BaseException | None:
    """Return the exception that ``exc_info`` stands for, in any form that ``logging`` takes."""
    if isinstance(info, tuple):
        return _error_of(next(iter(cast("tuple[object, ...]", info)[1:]), None))
    if isinstance(info, BaseException):
        return info
    return sys.exception() if info else None


def _redact_line(_logger: object, _method: str, line: MutableMapping[str, object]) -> Mapping[str, object]:
    return {name: value if name in _OWN else _safe_value(name, value) for name, value in line.items()}


def _safe_value(name: str, value: object) -> object:
    """Return a value for the log, whatever a plugin has passed."""
    try:
        made = redacted_value(name, value)
    except Exception as error:  # noqa: BLE001  the repr of a value may fail in any way, and no line may end its caller
        return f"[unreadable {type(value).__name__}: {type(error).__name__}]"
    if isinstance(made, str) and len(made) > MOST_CHARS:
        return f"{made[: MOST_CHARS // 2]} [...] {made[-MOST_CHARS // 2 :]}"
    return made
