"""Splits a text into messages within Telegram's limit.

Telegram counts UTF-16 code units (Bot API: sendMessage, 1-4096 after entities) and strips white space at both ends.
"""

import re
import unicodedata

__all__ = ["MESSAGE_LIMIT", "index_within", "is_visible", "split_text", "utf16_length"]

MESSAGE_LIMIT = 4096
"""Most UTF-16 units of a message."""

# In order of preference.
_SPACE = re.compile(r"\s++")
_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?…])\s++"), _SPACE)

# Characters that Telegram treats as blank although they are not white space.
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc")


def utf16_length(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_text(text: str, limit: int = MESSAGE_LIMIT) -> list[str]:
    """Split a text at paragraphs, lines, sentences or words, in this order of preference.

    Only white space at the cuts is dropped; no part is empty, and no surrogate pair is cut.

    Args:
        text: any text; an empty or blank text gives no parts.
        limit: most UTF-16 units of a part; at least 2.
    """
    parts: list[str] = []
    text = text.strip()
    start = 0
    while start < len(text):
        end = index_within(text, start, len(text), limit)
        if end < len(text):
            end = _cut_at(text, start, end)
        parts.append(text[start:end].rstrip())
        start = _after_space(text, end)
    return parts


def is_visible(text: str) -> bool:
    """Return whether a text has visible characters; Telegram rejects a message without any."""
    return any(char not in _BLANKS and not char.isspace() and unicodedata.category(char) != "Cf" for char in text)


def index_within(text: str, start: int, end: int, limit: int) -> int:
    """Return the last offset up to ``end`` for which the text from ``start`` fits ``limit`` UTF-16 units."""
    head = text[start : min(end, start + limit)]
    units = utf16_length(head)
    count = len(head)
    # Only a few characters are beyond the limit, as a rule.
    while units > limit:
        count -= 1
        units -= 2 if ord(head[count]) > 0xFFFF else 1
    return start + count


def _cut_at(text: str, start: int, end: int) -> int:
    """Return the best offset for a cut between two offsets, in the second half where possible."""
    for pattern in _BREAKS:
        places = [match.start() for match in pattern.finditer(text, start, end)]
        if places and places[-1] - start >= (end - start) // 2:
            return places[-1]
    spaces = [match.start() for match in _SPACE.finditer(text, start, end) if match.start() > start]
    return spaces[-1] if spaces else end


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return place if found is None else found.end()
