"""Blots secrets out of text: bot tokens, keys in headers and settings, and every secret that is made known here."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final, cast
from urllib.parse import quote

__all__ = ["BLOT", "Redactor", "redact", "redacted_value", "redactor"]

BLOT: Final = "[hidden]"

_MIN_SECRET = 5
"""Characters; a shorter text is no secret, and blotting it out would tear holes into ordinary words."""

_NAME = r"(?:authorization|api[ _-]?key|password|passwd|secret|secret[_-]key|token)"
_SECRET_NAME = re.compile(rf"{_NAME}\Z", re.IGNORECASE)

_VALUE = r"(?!\[hidden\])[^\s\"',;&(){}<>\\\[\]]{5,}"
_SCHEME = r"(?:bearer|basic)\s+"

_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # Bot API: requests go to /bot<token>/<method>, files come from /file/bot<token>/<path>.
        (r"(/bot)\d+(?::|%3A)[^/\s\"']+", rf"\1{BLOT}"),
        # From the first digit only: to try each of many would take the square of their number.
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
    """Knows secrets, and blots them out."""

    def __init__(self) -> None:
        """Know no secret beyond the patterns."""
        self._forms: set[str] = set()
        self._known: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Make a secret known, in every form in which it may appear; one that is shorter than 5 characters is not."""
        if len(secret) < _MIN_SECRET:
            return
        self._forms |= {secret, quote(secret, safe=""), repr(secret)[1:-1]}
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)))

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            text = self._known.sub(BLOT, text)
        if _HINT.search(text):
            for pattern, replacement in _PATTERNS:
                text = pattern.sub(replacement, text)
        return text


redactor: Final = Redactor()
"""The process's own: a secret that is added here is hidden in every log line from then on."""


def redact(text: str) -> str:
    """The text without secrets, as ``redactor`` knows them."""
    return redactor(text)


def redacted_value(name: str, value: object) -> object:
    """A value of a log line, made of JSON's types, without secrets; ``name`` is the key that it stands under."""
    if value is None or isinstance(value, bool):
        return value
    if _SECRET_NAME.search(name):
        return BLOT
    if isinstance(value, int | float):
        # JSON has no word for infinity, nor for what is no number.
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
