"""Automatic entities: commands, links, mentions, hashtags, cashtags, email addresses.

Source: TDLib, MessageEntity.cpp.
"""

import re
from collections.abc import Iterator
from typing import Any

from tgllm.testing.emulator.markup.text import MAX_ENTITIES, Text, utf16_len

__all__ = ["detect"]

# Some of the top-level domains; Telegram knows them all.
_DOMAINS = (
    "com|org|net|edu|gov|int|mil|info|biz|io|ai|app|dev|me|tv|co|cc|xyz|site|online|cloud|blog|shop|tech|wiki|page"
    "|eu|us|uk|de|fr|it|es|pt|nl|be|ch|at|se|no|fi|dk|pl|cz|sk|hu|ro|bg|gr|ie|is|ru|ua|by|kz|md|rs|hr|si|lt|lv|ee"
    "|cn|jp|kr|in|tw|hk|sg|au|nz|ca|mx|br|ar|cl|il|tr|ir|ae|sa|za|eg|py|sh|ph|my|id|th|vn|рф"
)
_PATH = r"(?:[/?#][^\s<>\"«»]*[^\s<>\"«».,;:!?)\]'…])?/?"
_PATTERNS = {
    "bot_command": re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/<>])"),
    "url": re.compile(
        r"(?i)(?<![\w@.])(?:(?:https?|ftp|tg|ton)://[^\s<>\"]+[^\s<>\".,;:!?)\]']"
        rf"|(?:[\w-]+\.)+(?:{_DOMAINS})(?![\w-]|\.\w|@)(?::\d{{1,5}})?{_PATH})"
    ),
    "email": re.compile(r"(?<![\w.+-])[A-Za-z0-9_.+-]+@(?:[A-Za-z0-9][\w-]*\.)+[A-Za-z]{2,8}(?![\w-])"),
    "mention": re.compile(r"(?<![\w/])@(?:[A-Za-z0-9_]{4,32}|gif|vid|pic)(?!\w)"),
    "hashtag": re.compile(r"(?<![\w#])#(?=\w*[^\W\d])\w{1,256}(?![\w#])"),
    "cashtag": re.compile(r"(?<![\w$])\$[A-Z]{1,8}(?![\w$])"),
}
# Entities that may contain an automatic entity, or lie in one.
_OPEN = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote"})
_HINT = re.compile(r"[/@#$]|\.\w")


def detect(formatted: Text) -> Text:
    """Add the automatic entities, in plain and styled text, but not in code, links and mentions.

    A simplified model of Telegram's rules: it knows only some of the domains that need no ``https://``, and detects
    neither phone nor card numbers, and nothing that starts inside of an entity and ends outside.
    """
    if not _HINT.search(formatted.text):
        return formatted
    taken = [_span(entity) for entity in formatted.entities if entity["type"] not in _OPEN]
    around = [_span(entity) for entity in formatted.entities if entity["type"] in _OPEN]
    found: list[dict[str, Any]] = []
    for entity in _matches(formatted.text):
        start, end = _span(entity)
        is_free = all(end <= low or start >= high for low, high in taken)
        if is_free and not any(start < low < end < high or low < start < high < end for low, high in around):
            taken.append((start, end))
            found.append(entity)
    entities = sorted((*formatted.entities, *found), key=lambda e: (e["offset"], -e["length"]))
    return Text(formatted.text, tuple(entities[:MAX_ENTITIES]))


def _matches(text: str) -> Iterator[dict[str, Any]]:
    for kind, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            offset = utf16_len(text[: match.start()])
            yield {"type": kind, "offset": offset, "length": utf16_len(match.group())}


def _span(entity: dict[str, Any]) -> tuple[int, int]:
    return int(entity["offset"]), int(entity["offset"]) + int(entity["length"])
