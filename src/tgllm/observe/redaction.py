"""Redacts secrets in text: bot tokens, keys in headers and settings, and every registered secret."""

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, cast

__all__ = ["BLOT", "Redactor", "redact", "redacted_texts", "redacted_value", "redactor"]

BLOT: Final = "[hidden]"

_MOST_INTEGER: Final = 10**300
_MOST_KEPT: Final = 64
_MOST_RESULTS: Final = 1000
_MIN_SAID = 16
"""Minimum length of a secret that is redacted in texts of people, in characters."""

_NAME = r"(?:authorization|api[ _-]?key|password|passwd|secret|secret[_-]key|token)"
_SECRET_NAME = re.compile(rf"{_NAME}\Z", re.IGNORECASE)

_KEY_STARTS = r"sk[-_]|gsk_|xai-|hf_|gh[pousr]_|github_pat_|AIza"

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
        # Keys of well-known services, which error texts quote in the middle of a sentence.
        (rf"(?<![\w-])(?:{_KEY_STARTS})(?=[a-z_-]*\d)[\w-]{{16,}}", BLOT),
        (r"([?&]key=)[^\s&\"'#]+", rf"\1{BLOT}"),
        (r"(://[^/\s:@\"']+:)[^/\s@\"']+@", rf"\1{BLOT}@"),
    )
)
_HINT = re.compile(rf"[:=]|%3A|bearer|basic|{_KEY_STARTS}", re.IGNORECASE)


class Redactor:
    """Redactor of patterns and registered secrets."""

    def __init__(self) -> None:
        """Create a redactor without registered secrets."""
        self._forms: tuple[str, ...] = ()
        self._results: dict[str, str] = {}
        """Of short texts, most of which are names that come again with each line of the log."""

    def add(self, secret: str) -> None:
        """Register a secret, in every form in which it may appear; one shorter than 5 characters is ignored."""
        from tgllm.observe.secret_forms import secret_forms  # noqa: PLC0415  short commands register no secret

        forms = {*self._forms, *secret_forms(secret)}
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        self._results = {}

    def without_known(self, text: str) -> str:
        """Return a person's text without the registered secrets, each character replaced by an asterisk.

        Secrets shorter than 16 characters stay: one such as ``ollama`` is also an ordinary word.
        """
        for form in self._forms:
            if len(form) >= _MIN_SAID and form in text:
                text = text.replace(form, "*" * len(form))
        return text

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        if len(text) > _MOST_KEPT:
            return self._redacted(text)
        results = self._results
        found = results.get(text)
        if found is None:
            if len(results) >= _MOST_RESULTS:
                results.clear()
            found = results[text] = self._redacted(text)
        return found

    def _redacted(self, text: str) -> str:
        for form in self._forms:
            # Faster than one regular expression of all forms, most of which are in no text.
            if form in text:
                text = text.replace(form, BLOT)
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
    if _is_secret(name):
        return BLOT
    if isinstance(value, int | float):
        # JSON has no infinity and no NaN; an integer beyond all floats has more digits than Python writes.
        if isinstance(value, int):
            return int(value) if abs(value) < _MOST_INTEGER else "[large number]"
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, str | BaseException):
        return redact(str(value))
    return _redacted_collection(value)


@lru_cache(maxsize=1000)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _redacted_collection(value: object) -> object:
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {redact(str(key)): redacted_value(str(key), item) for key, item in items}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted_value("", item) for item in cast("Iterable[object]", value)]
    return redact(repr(value))


def redacted_texts(value: object) -> object:
    """Return a JSON value whose texts have no secrets; other values and all keys are as they were."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: redacted_texts(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [redacted_texts(item) for item in cast("Iterable[object]", value)]
    return value
