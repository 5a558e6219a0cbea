"""Error messages of failed commands."""

import sys
import traceback
from pathlib import Path

from tgllm.api.errors import ConfigError, TgllmError
from tgllm.config.sources.config_files import read_dotenv
from tgllm.observe.redaction import redact

__all__ = ["report", "tell"]


def tell(message: str) -> None:
    """Write a message to standard error, with secrets redacted."""
    sys.stderr.write(redact(f"tgllm: {message}") + "\n")


def report(error: Exception, *, debug: bool = False) -> int:
    """Print an error in a sentence; with ``debug``, or ``TGLLM_DEBUG`` in ``.env``, also its traceback.

    Returns:
        The exit code: 2 for invalid settings, 1 for any other error.
    """
    if debug or _debug_in_dotenv():
        sys.stderr.write(redact("".join(traceback.format_exception(error))))
    if isinstance(error, TgllmError):
        tell(str(error))
    else:
        tell(f"unexpected {type(error).__name__}: {error}. Run it again with --debug to see where it came from.")
    return 2 if isinstance(error, ConfigError) else 1


def _debug_in_dotenv() -> bool:
    try:
        return read_dotenv(Path(".env")).get("TGLLM_DEBUG", "") not in {"", "0"}
    except ConfigError:
        return False
