"""What a person is told in the terminal when a command fails."""

import sys
import traceback
from pathlib import Path

from tgllm.api.errors import ConfigError, TgllmError
from tgllm.config.sources.config_files import read_dotenv
from tgllm.observe.redaction import redact

__all__ = ["report", "tell"]


def tell(message: str) -> None:
    """Write a message to standard error, without secrets."""
    sys.stderr.write(redact(f"tgllm: {message}") + "\n")


def report(error: Exception, *, debug: bool = False) -> int:
    """Say in a sentence what failed; with ``debug``, or ``TGLLM_DEBUG`` in ``.env``, also where.

    Returns:
        The exit code: 2 for wrong settings, 1 for anything else.
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
