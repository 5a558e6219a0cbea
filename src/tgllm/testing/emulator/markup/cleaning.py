"""Removal of characters that Telegram does not keep. Source: TDLib, on which the Bot API server is built."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from tgllm.testing.emulator.markup.text import utf16_len

__all__ = ["clean"]

_SHOWN_AS_SPACE = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f]")
# Line and paragraph separators, and bidirectional formatting characters.
_LEFT_OUT = re.compile("[\r\u2028-\u202e]")


def clean(text: str, entities: Sequence[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """Replace control characters by spaces, drop what Telegram drops, and adjust the entities to that."""
    gone: list[int] = []
    offset = at = 0
    for match in _LEFT_OUT.finditer(text):
        offset, at = offset + utf16_len(text[at : match.start()]), match.start()
        gone.append(offset)
    kept = _SHOWN_AS_SPACE.sub(" ", _LEFT_OUT.sub("", text))
    return kept, [_moved(entity, gone) for entity in entities]


def _moved(entity: dict[str, Any], gone: list[int]) -> dict[str, Any]:
    if not gone:
        return entity
    start, end = entity["offset"], entity["offset"] + entity["length"]
    before = bisect_left(gone, start)
    return {**entity, "offset": start - before, "length": end - start - (bisect_left(gone, end) - before)}
