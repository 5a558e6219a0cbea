"""Splits a text into messages of a size that Telegram takes.

Telegram counts UTF-16 code units (Bot API: sendMessage, 1-4096 after entities) and strips white space at both ends.
"""

import re
import unicodedata

__all__ = ["MESSAGE_LIMIT", "index_within", "is_visible", "split_text", "utf16_length"]

MESSAGE_LIMIT = 4096
"""UTF-16 units of a message at most."""

# From the place where a cut disturbs least to the one where it disturbs most.
_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?…])\s+"), re.compile(r"\s+"))

# What Telegram takes for nothing although it is no white space.
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc")


def utf16_length(text: str) -> int:
    """Length of a text in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_text(text: str, limit: int = MESSAGE_LIMIT) -> list[str]:
    """Cut a text at paragraphs, lines, sentences or words, in this order of preference.

    Nothing but white space at the cuts is lost, no part is empty, and no character is cut in two.

    Args:
        text: any text; nothing comes of one that is empty or white space.
        limit: UTF-16 units a part at most; at least 2.
    """
    parts: list[str] = []
    rest = text.strip()
    while rest:
        end = index_within(rest, 0, len(rest), limit)
        if end == len(rest):
            parts.append(rest)
            break
        end = _cut_at(rest, end)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return parts


def is_visible(text: str) -> bool:
    """Whether there is something to see; Telegram refuses a message where there is not."""
    return any(char not in _BLANKS and not char.isspace() and unicodedata.category(char) != "Cf" for char in text)


def index_within(text: str, start: int, end: int, limit: int) -> int:
    """The last place up to ``end`` so that what is between ``start`` and it fits ``limit`` UTF-16 units."""
    head = text[start : min(end, start + limit)]
    units = utf16_length(head)
    count = len(head)
    # Characters beyond the limit are taken off again, most often a few.
    while units > limit:
        count -= 1
        units -= 2 if ord(head[count]) > 0xFFFF else 1
    return start + count


def _cut_at(text: str, end: int) -> int:
    """The best place to cut within ``text[:end]``, not before its middle unless there is none."""
    for pattern in _BREAKS:
        places = [match.start() for match in pattern.finditer(text, 0, end)]
        if places and places[-1] >= end // 2:
            return places[-1]
    spaces = [match.start() for match in _BREAKS[-1].finditer(text, 0, end) if match.start()]
    return spaces[-1] if spaces else end
