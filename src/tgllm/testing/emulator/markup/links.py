"""URLs that Telegram accepts in links and buttons."""

import re

__all__ = ["is_link"]

_SCHEME = re.compile(r"(?i)([a-z][a-z0-9+.-]*)://")
_OWN_SCHEMES = frozenset({"tg", "ton", "tonsite"})
_HOST = re.compile(r"(?i)(?:[^\s/?#@]*@)?(?:[\w-]+\.)+[\w-]+\.?(?::[0-9]{1,5})?(?=[/?#]|$)")


def is_link(url: str) -> bool:
    """Return whether a text is a web or Telegram URL; the host needs a dot, the scheme is optional.

    A simplified model of TDLib's rules.
    """
    scheme = _SCHEME.match(url)
    if scheme is None:
        return url.startswith("tg:") or _HOST.match(url) is not None
    name = scheme[1].lower()
    return name in _OWN_SCHEMES or (name in {"http", "https"} and _HOST.match(url, scheme.end()) is not None)
