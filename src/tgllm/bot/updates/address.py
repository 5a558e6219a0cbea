"""Removes the mentions by which a text addresses the bot."""

import re
from typing import Final

from tgllm.bot.updates.formats.entities import Entity
from tgllm.bot.updates.formats.written import Cut, Written, without
from tgllm.bot.updates.mentions import mentions_of

__all__ = ["without_mentions"]

_WIDE_COMMAS: Final = "\uff0c\u3001"
_WIDE: Final = f"{_WIDE_COMMAS}\u3002\uff1a\uff1b\uff01\uff1f"
"""Punctuation of scripts that have no spaces between words."""
_COMMAS: Final = f",{_WIDE_COMMAS}"
_ATTACHED: Final = re.compile(r"[^\s.,:;!?](?<=[\x00-\x7f])")
"""What can't precede a name by which somebody is addressed; scripts without spaces have nothing between the two."""
_AFTER: Final = re.compile(r"\s|$|[.,:;!?]+(?:\s|$)|[^\x00-\x7f]")
"""What may follow it."""
_AT_START: Final = re.compile(rf"[^\S\n]*(?:[,:](?=\s|$)|[{_WIDE_COMMAS}\uff1a])?[^\S\n]*\n?")
"""What sets a name at the beginning of a line apart from what follows."""
_AT_END: Final = re.compile(rf"[^\S\n]*(?=\n|$)|(?=[.,:;!?…]+(?:\s|$))|(?=[{_WIDE}])")
"""What follows a name at the end of a line or a sentence."""
_SPACES: Final = re.compile(r"\s*")


def without_mentions(written: Written, bot_id: int, username: str) -> Written:
    """Return a text without the mentions by which it addresses the bot, and without white space around it.

    A mention that is part of a sentence stays: one that is attached to other characters, as in "@bot's answer", and a
    name in words of the sender in the middle of a line.
    """
    cuts: list[Cut] = []
    at, at_start = 0, True
    for mention in mentions_of(written, bot_id, username):
        cut = _cut(written.text, mention, at, at_start=at_start)
        if cut is not None:
            cuts.append(cut)
            at, at_start = cut.end, _begins_line(written.text, cut.start, at, at_start=at_start)
    return without(written, cuts).stripped()


def _cut(text: str, mention: Entity, at: int, *, at_start: bool) -> Cut | None:
    """Return what to cut for a mention; None if the mention is part of a sentence.

    Args:
        text: the text.
        mention: a mention in it.
        at: end of the previous cut.
        at_start: whether nothing precedes that cut in its line.
    """
    left, end = mention.start, mention.end
    is_attached = left > at and _ATTACHED.match(text, left - 1) is not None
    if is_attached or _AFTER.match(text, end) is None:
        return None
    while left > at and text[left - 1].isspace() and text[left - 1] != "\n":
        left -= 1
    if _begins_line(text, left, at, at_start=at_start):
        return Cut(left, _end_of(_AT_START, text, end))
    if (at_end := _AT_END.match(text, end)) is not None:
        has_comma = left > at and text[left - 1] in _COMMAS
        return Cut(left - 1 if has_comma else left, at_end.end())
    if mention.kind == "text_mention":
        return None
    right = _end_of(_SPACES, text, end)
    has_spaces = left < mention.start or right > end
    return Cut(left, right, " " if has_spaces and left > at else "")


def _begins_line(text: str, left: int, at: int, *, at_start: bool) -> bool:
    return text[left - 1 : left] == "\n" or (left == at and at_start)


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()
