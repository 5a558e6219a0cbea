"""Questions of ``tgllm init``, which ``--yes`` answers with their defaults."""

import sys
from dataclasses import dataclass
from pathlib import Path

from tgllm.api.errors import ConfigError
from tgllm.cli.failure import tell_raw
from tgllm.cli.output import ask, say
from tgllm.i18n import Catalogue

__all__ = ["Dialogue", "read_secret"]

_YES = {"y", "yes", "д", "да"}
_NO = {"n", "no", "н", "нет"}
MOST_SECRET_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Conversation with the operator."""

    texts: Catalogue
    asks: bool = True
    """False with ``--yes``: nothing is asked."""

    def say(self, key: str, **params: object) -> None:
        """Print a text."""
        say(self.texts(key, "", **params))

    def warn(self, key: str, **params: object) -> None:
        """Write a text to standard error."""
        tell_raw(f"{self.texts(key, '', **params)}\n")

    def ask(
        self, key: str, *, flag: str = "", hidden: bool = False, default: str | None = None, **params: object
    ) -> str:
        """Ask a question; an empty answer is the default.

        Raises:
            ConfigError: nothing is asked, and there is no default; the message names ``flag``.
        """
        return self._ask(self.texts(key, "", **params), flag=flag, hidden=hidden, default=default)

    def _ask(self, question: str, *, flag: str = "", hidden: bool = False, default: str | None = None) -> str:
        if self.asks:
            # A hidden prompt of something other than a terminal prints a warning and is not hidden.
            return ask(question, hidden=hidden and sys.stdin.isatty(), default=default).strip()
        if default is None:
            raise ConfigError(self.texts("init.flag_missing", question=question, flag=flag))
        return default

    def confirm(self, key: str, *, default: bool, **params: object) -> bool:
        """Ask a question whose answer is yes or no; with ``--yes`` the answer is the default."""
        while True:
            answer = self._ask(self.texts(key, "", **params), default="y" if default else "n").casefold()
            if answer in _YES | _NO:
                return answer in _YES
            self.warn("init.yes_or_no")


def read_secret(source: str, what: str) -> str:
    """Return a secret from a file, or from a line of standard input for ``-``.

    Raises:
        ConfigError: it can't be read, or is not one line.
    """
    if source == "-":
        text = sys.stdin.readline()
    else:
        path = Path(source).expanduser()
        try:
            with path.open("rb") as file:
                text = file.read(MOST_SECRET_BYTES).decode("utf-8-sig")
        except (OSError, RuntimeError) as error:
            raise ConfigError(f"{what}: {source} can't be read: {getattr(error, 'strerror', None) or error}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{what}: {source} is not UTF-8 text") from None
    found, place = text.strip(), "standard input" if source == "-" else source
    if not found:
        raise ConfigError(f"{what}: {place} is empty")
    if not found.isprintable():
        raise ConfigError(f"{what}: {place} must contain one line of text, and nothing else")
    return found
