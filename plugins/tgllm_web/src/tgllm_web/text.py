"""Text from outside, made readable: without markup, invisible characters and broken ones."""

import html
import re
import unicodedata

__all__ = ["clean", "one_line", "parts_of"]

_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,1000}>")
_SPACES = re.compile(r"[^\S\n]{2,}")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")
_KEPT = frozenset("\n\t\u200c\u200d")
"""Characters of the removed categories that scripts and emoji need: joiners."""
_SELECTORS = range(0xE0100, 0xE01F0)
"""Variation selectors of rare scripts, in which text can be hidden."""


def clean(text: str) -> str:
    """Remove control characters, invisible ones, and halves of surrogate pairs; shorten white space."""
    # Each character is looked up once: a page has a million of them, and this runs between the answers to other chats.
    removed = {ord(each): None for each in set(text) if each != "\r" and not _is_visible(each)}
    visible = text.replace("\r\n", "\n").replace("\r", "\n").translate(removed)
    return _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", visible)).strip()


def one_line(text: str, most: int = 300) -> str:
    """Return text of a service, such as a title or an excerpt, without tags and entities, in one line."""
    plain = " ".join(clean(html.unescape(_TAG.sub("", text[: 8 * most]))).split())
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"


def parts_of(text: str, most: int) -> list[str]:
    """Split a text into parts of at most ``most`` characters, at ends of paragraphs, lines or words if possible."""
    parts: list[str] = []
    start = 0
    while len(text) - start > most:
        end = _end_of_part(text, start, most)
        parts.append(text[start:end].strip())
        start = end
    return [part for part in (*parts, text[start:].strip()) if part] or [""]


def _end_of_part(text: str, start: int, most: int) -> int:
    # A part is at least half full, or a text with few paragraphs would have many short parts.
    for mark in ("\n\n", "\n", " "):
        if (place := text.rfind(mark, start + most // 2, start + most)) >= 0:
            return place + len(mark)
    return start + most


def _is_visible(character: str) -> bool:
    if character in _KEPT:
        return True
    return unicodedata.category(character) not in {"Cc", "Cf", "Co", "Cs"} and ord(character) not in _SELECTORS
