"""Forms in which a secret appears in error messages: encoded, escaped, or in parts."""

import base64
import html
import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

__all__ = ["MIN_SECRET", "secret_forms"]

MIN_SECRET: Final = 5
"""Minimum length of a secret, in characters; redacting shorter texts would damage ordinary words."""
_MIN_PART: Final = 16
"""Minimum length of a part of a secret, such as of a bot token after its colon."""
_MIN_CODED: Final = 8
"""Minimum length of the characters of an encoded text that depend on nothing but the secret."""
_ESCAPED = re.compile(r"%[0-9A-F]{2}")


def secret_forms(secret: str) -> set[str]:
    """Return all forms of a secret; none if it is too short to be redacted."""
    if len(secret) < MIN_SECRET:
        return set()
    parts = {secret, *(part for part in secret.split(":")[1:] if len(part) >= _MIN_PART)}
    return {form for part in parts for form in _forms(part) if len(form) >= MIN_SECRET}


def _forms(text: str) -> Iterator[str]:
    yield text
    # Python, JSON and HTML; some JSON libraries escape the slash too.
    yield from (repr(text)[1:-1], html.escape(text), html.escape(text, quote=False))
    for document in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield from (document, document.replace("/", "\\/"), json.dumps(document)[1:-1])
    data = text.encode(errors="surrogatepass")
    yield from _url_forms(data)
    yield from _base64_forms(data)
    yield from (data.hex(), data.hex().upper())


def _url_forms(data: bytes) -> Iterator[str]:
    for form in (quote(data, safe=""), quote(data), quote_plus(data)):
        # The second one is in an address that is itself a parameter of another one.
        for url in (form, quote(form, safe="")):
            yield from (url, _ESCAPED.sub(lambda found: found[0].lower(), url))


def _base64_forms(data: bytes) -> Iterator[str]:
    """Yield the base64 digits that depend on the secret only, for each of its places in the encoded text."""
    for before in range(3):
        coded = base64.b64encode(bytes(before) + data).decode()
        digits = coded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        if len(digits) >= _MIN_CODED:
            yield from (digits, digits.replace("+", "-").replace("/", "_"), quote(digits, safe=""))
