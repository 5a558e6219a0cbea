"""What a model thought before it answered, as a part of the answer's Markdown."""

import re

from tgllm.bot.rendering.split import MESSAGE_LIMIT, utf16_length
from tgllm.services.common.text import clip
from tgllm.services.conversations.turn import TurnOutcome

__all__ = ["MOST_THOUGHTS", "has_thoughts", "quoted", "with_thoughts"]

MOST_THOUGHTS = 3000
"""UTF-16 units that are shown; models think at length, and people want the answer."""
LEAST_THOUGHTS = 1000
"""UTF-16 units that are shown however long the answer is."""

_TITLE_ROOM = 96
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_DETAILS = re.compile(r"<(?=/?details\b)", re.IGNORECASE)


def has_thoughts(outcome: TurnOutcome) -> bool:
    """Whether there are thoughts to be shown with the answer."""
    return outcome.look.thoughts != "hidden" and bool(outcome.reasoning.strip() and outcome.text.strip())


def with_thoughts(outcome: TurnOutcome, title: str, *, is_rich: bool) -> str:
    """The answer in Markdown, below its thoughts where the chat wants to see them.

    Args:
        outcome: how the turn ended.
        title: stands over the thoughts.
        is_rich: whether it becomes a rich message, in which there is more room.
    """
    if not has_thoughts(outcome):
        return outcome.text
    thoughts = clip(outcome.reasoning.strip(), MOST_THOUGHTS if is_rich else _room_above(outcome.text))
    if outcome.look.thoughts == "shown":
        return f"{quoted(thoughts, title)}\n\n{outcome.text}"
    return f"<details><summary>{title}</summary>\n\n{_enclosed(thoughts)}\n\n</details>\n\n{outcome.text}"


def _room_above(answer: str) -> int:
    """UTF-16 units of thoughts, so that an answer which fits a message is not torn apart if that can be helped."""
    room = MESSAGE_LIMIT - _TITLE_ROOM - utf16_length(answer)
    return max(LEAST_THOUGHTS, min(MOST_THOUGHTS, room))


def quoted(thoughts: str, title: str) -> str:
    """Thoughts as a quote in Markdown, below its title."""
    lines = "\n".join(f"> {line}".rstrip() for line in thoughts.splitlines())
    return f"> **{title}**\n>\n{lines}"


def _enclosed(markdown: str) -> str:
    """Markdown that ends where it ends: nothing in it is left open or closes what is around it."""
    fence = ""
    for line in markdown.splitlines():
        found = _FENCE.match(line)
        if found is None:
            continue
        if not fence:
            fence = found[1]
        elif found[1].startswith(fence) and not found[2].strip():
            fence = ""
    return _DETAILS.sub(r"\\<", markdown) + (f"\n{fence}" if fence else "")
