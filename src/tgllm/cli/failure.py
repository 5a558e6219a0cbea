"""Error messages of failed commands."""

import sys
import traceback
from contextlib import suppress
from pathlib import Path

from tgllm.api.errors import ConfigError, TgllmError
from tgllm.observe.visible import visible

__all__ = ["report", "tell", "tell_raw", "tell_text"]


def tell(message: str) -> None:
    """Write a message to standard error, with secrets redacted."""
    tell_raw(f"tgllm: {message}\n")


def tell_raw(text: str) -> None:
    """Write lines to standard error, with secrets redacted and unsafe characters escaped, if it can be written."""
    from tgllm.observe.redaction import redact  # noqa: PLC0415  a successful command needs none

    with suppress(OSError):
        sys.stderr.write(visible(redact(text)))


def tell_text(key: str, language: str = "", **params: object) -> None:
    """Write a text of the catalogue to standard error, in English by default."""
    from tgllm.i18n import Catalogue  # noqa: PLC0415  a list with rows needs no text

    tell(Catalogue()(key, language, **params))


def report(error: Exception, *, debug: bool = False) -> int:
    """Print an error in a sentence; with ``debug``, or ``TGLLM_DEBUG`` in ``.env``, also its traceback.

    Returns:
        The exit code: 2 for invalid settings, 1 for any other error.
    """
    if debug or _debug_in_dotenv():
        tell_raw("".join(traceback.format_exception(error)))
    if isinstance(error, TgllmError):
        tell(str(error))
    else:
        tell(f"unexpected {type(error).__name__}: {error}. Run it again with --debug to see where it came from.")
    return 2 if isinstance(error, ConfigError) else 1


def _debug_in_dotenv() -> bool:
    from tgllm.config.sources.config_files import read_dotenv  # noqa: PLC0415  few commands fail

    try:
        return read_dotenv(Path(".env")).get("TGLLM_DEBUG", "") not in {"", "0"}
    except ConfigError:
        return False
