"""Decides which addresses of a model's answer may become links."""

import re
from urllib.parse import urlsplit

__all__ = ["BARE_URL", "email_of", "is_web_link"]

MOST_LENGTH = 4096
"""Most characters of an address that is a link; a message has no room for more."""

_SPACE = re.compile(r"[\s\x00-\x1f\x7f]")
_EMAIL = re.compile(r"mailto:([\w.+-]++@[\w-]++(?:\.[\w-]++)++)\Z", re.IGNORECASE)

BARE_URL = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]'*_]", re.IGNORECASE)
"""A URL in running text, without link markup."""


def is_web_link(url: str) -> bool:
    """Return whether Telegram makes a link of the address: http or https, and a host with a dot.

    Links of Telegram's own scheme (``tg://user``) could mention users, so they are not allowed. TDLib: LinkManager.
    """
    # Unicode normalization, which urlsplit does, takes quadratic time for a long run of combining marks.
    if len(url) > MOST_LENGTH or _SPACE.search(url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and "." in host.strip(".")


def email_of(url: str) -> str | None:
    """Return the address in a plain ``mailto:`` link; None for anything else."""
    match = _EMAIL.match(url)
    return match.group(1) if match else None
