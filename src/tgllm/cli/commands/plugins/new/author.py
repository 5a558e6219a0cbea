"""Author of a new plugin: from the command line, or from the settings of git."""

import getpass
import re
import subprocess
from dataclasses import dataclass
from typing import Final, Self

from tgllm.api.errors import PluginError

__all__ = ["Author", "find_author"]

_GIVEN: Final = re.compile(r"(?P<name>[^<>]*[^<>\s])\s*(?:<(?P<email>[^<>\s@]+@[^<>\s@]+)>)?")
_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Author:
    """Name and, if known, address of a person."""

    name: str
    email: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """Read ``Ann Example <ann@example.org>``; the address may be missing.

        Raises:
            PluginError: the text has another form.
        """
        found = _GIVEN.fullmatch(text.strip())
        if found is None or not text.isprintable():
            raise PluginError(f'"{text}" is no author: write it like "Ann Example <ann@example.org>".')
        return cls(found["name"], found["email"] or "")


def find_author() -> Author:
    """Return the author in the settings of git, or else the name of the account."""
    name, email = _git("user.name"), _git("user.email")
    try:
        return Author.read(f"{name or _account()} <{email}>" if email else name or _account())
    except PluginError:
        return Author(_account())


def _git(key: str) -> str:
    command = ["git", "config", "--get", key]
    try:
        # The name is looked up in PATH, as in the shell of the person who calls.
        done = subprocess.run(  # noqa: S603  constant arguments
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _account() -> str:
    try:
        return getpass.getuser() or "The author"
    except (ImportError, KeyError, OSError):
        return "The author"
