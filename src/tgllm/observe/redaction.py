"""Redacts secrets in text: bot tokens, keys in headers and settings, and every registered secret."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final, cast
from urllib.parse import quote

__all__ = ["BLOT", "Redactor", "redact", "redacted_value", "redactor"]

BLOT: Final = "[hidden]"

_MIN_SECRET = 5
"""Minimum length of a secret, in characters; redacting shorter texts would damage ordinary words."""

_MIN_SAID = 16
"""The same for texts of people."""

_NAME = r"(?:authorization|api[ _-]?key|password|passwd|secret|secret[_-]key|token)"
_SECRET_NAME = re.compile(rf"{_NAME}\Z", re.IGNORECASE)

_VALUE = r"(?!\[hidden\])[^\s\"',;&(){}<>\\\[\]]{5,}"
_SCHEME = r"(?:bearer|basic)\s+"

_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # Bot API: requests go to /bot<token>/<method>, files come from /file/bot<token>/<path>.
        (r"(/bot)\d+(?::|%3A)[^/\s\"']+", rf"\1{BLOT}"),
        # Only from the first digit: a match attempt at each digit would take quadratic time.
        (r"(?<!\d)\d{5,}(?::|%3A)[\w-]{30,}", BLOT),
        (rf"(\b{_SCHEME})(?!\[hidden\])[\w.~+/=-]{{6,}}", rf"\1{BLOT}"),
        # name=value, name: value, "name": "value", also at the end of a longer name such as client_secret.
        (rf"({_NAME}[\"']?\s*[:=]\s*[\"']?(?:{_SCHEME})?){_VALUE}", rf"\1{BLOT}"),
        (r"([?&]key=)[^\s&\"'#]+", rf"\1{BLOT}"),
        (r"(://[^/\s:@\"']+:)[^/\s@\"']+@", rf"\1{BLOT}@"),
    )
)
_HINT = re.compile(r"[:=]|%3A|bearer|basic", re.IGNORECASE)


class Redactor:
    """Redactor of patterns and registered secrets."""

    def __init__(self) -> None:
        """Create a redactor without registered secrets."""
        self._forms: set[str] = set()
        self._known: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Register a secret, in every form in which it may appear; one shorter than 5 characters is ignored."""
        if len(secret) < _MIN_SECRET:
            return
        self._forms |= {secret, quote(secret, safe=""), repr(secret)[1:-1]}
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)))

    def without_known(self, text: str) -> str:
        """Return a person's text without the registered secrets, each character replaced by an asterisk.

        Secrets shorter than 16 characters stay: one such as ``ollama`` is also an ordinary word.
        """
        if self._known is None:
            return text
        return self._known.sub(lambda found: found[0] if len(found[0]) < _MIN_SAID else "*" * len(found[0]), text)

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        if self._known is not None:
            text = self._known.sub(BLOT, text)
        if _HINT.search(text):
            for pattern, replacement in _PATTERNS:
                text = pattern.sub(replacement, text)
        return text


redactor: Final = Redactor()
"""Redactor of the process: a secret added here is redacted in every log line from then on."""


def redact(text: str) -> str:
    """Return the text without the secrets of ``redactor``."""
    return redactor(text)


def redacted_value(name: str, value: object) -> object:
    """Return a value of a log line as JSON types, without secrets; ``name`` is its key."""
    if value is None or isinstance(value, bool):
        return value
    if _SECRET_NAME.search(name):
        return BLOT
    if isinstance(value, int | float):
        # JSON has no infinity and no NaN.
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str | BaseException):
        return redact(str(value))
    return _redacted_collection(value)


def _redacted_collection(value: object) -> object:
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {redact(str(key)): redacted_value(str(key), item) for key, item in items}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted_value("", item) for item in cast("Iterable[object]", value)]
    return redact(repr(value))
