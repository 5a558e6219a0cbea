"""Visible escapes in place of characters that a terminal or a chat would act on instead of showing them."""

import re
from typing import Final

__all__ = ["UNSAFE", "is_safe", "visible", "visible_json", "visible_line"]

_JOINED: Final = (
    "\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18af\u2190-\u2bff\ufb50-\ufdff\ufe0f\ufe70-\ufefc"
    "\U0001f000-\U0001faff"
)
"""Scripts whose letters take another shape next to a joiner, and emoji, which joiners combine."""


def _flags() -> str:
    """Return a pattern for a place inside the flags of England, Scotland and Wales: an emoji with the region in tags.

    Source: Unicode Technical Standard 51, emoji tag sequences. Other tags are invisible text.
    """
    places: list[str] = []
    for region in ("gbeng", "gbsct", "gbwls"):
        flag = "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"
        places += [f"(?<={flag[:at]}){flag[at:]}" for at in range(1, len(flag))]
    return "|".join(places)


UNSAFE: Final = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters other than tab and line feed
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2064\u3164\ufeff\uffa0"  # invisible
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # text direction
    "\u2028\u2029"  # line and paragraph separators
    "\ud800-\udfff\ufdd0-\ufdef\ufff0-\ufffb\ufffe\uffff"  # lone surrogates and code points without a character
    "\U0001d173-\U0001d17a"  # invisible: musical formatting
    "]"
    rf"|(?=[\U000e0000-\U000e0fff])(?!{_flags()})."  # invisible: tags
    rf"|(?<![{_JOINED}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINED}])"
)
"""A character that is invisible, moves the cursor or the text, or belongs to an escape sequence.

Tab and line feed are no match. Zero-width joiners match only where they join nothing.
"""
_SPACES: Final = re.compile(r"(?:\r?\n|[ \t])+")
_ASTRAL: Final = 0x10000


def is_safe(text: str) -> bool:
    """Return whether a text has no unsafe character."""
    # The first test needs no regular expression, and is true of most texts.
    return (text.isascii() and text.isprintable()) or UNSAFE.search(text) is None


def visible(text: str) -> str:
    r"""Return a text with unsafe characters as escapes such as ``\x1b`` and ``\u202e``; its lines are kept."""
    return text if is_safe(text) else UNSAFE.sub(lambda found: _escape(found[0]), text)


def visible_line(text: str) -> str:
    """Return a text on one line, with unsafe characters as escapes; spaces, tabs and line ends become one space."""
    return visible(_SPACES.sub(" ", text).strip(" "))


def visible_json(text: str) -> str:
    """Return a JSON document with unsafe characters in its strings as escapes of JSON, which read as the same."""
    return text if is_safe(text) else UNSAFE.sub(lambda found: _json_escape(found[0]), text)


def _escape(sign: str) -> str:
    code = ord(sign)
    if sign == "\r":
        return "\\r"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code < _ASTRAL else f"\\U{code:08x}"


def _json_escape(sign: str) -> str:
    code = ord(sign)
    if code < _ASTRAL:
        return f"\\u{code:04x}"
    high, low = divmod(code - _ASTRAL, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
