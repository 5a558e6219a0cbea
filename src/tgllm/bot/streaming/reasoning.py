"""Adds a model's reasoning to the Markdown of its answer."""

import re

from tgllm.bot.rendering.split import MESSAGE_LIMIT, utf16_length
from tgllm.services.common.text import clip
from tgllm.services.conversations.turn import TurnOutcome

__all__ = ["MOST_THOUGHTS", "has_thoughts", "quoted", "with_thoughts"]

MOST_THOUGHTS = 3000
"""Most UTF-16 units of reasoning that are shown."""
LEAST_THOUGHTS = 1000
"""UTF-16 units of reasoning that are shown however long the answer is."""

_TITLE_ROOM = 96
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_DETAILS = re.compile(r"<(?=/?details\b)", re.IGNORECASE)


def has_thoughts(outcome: TurnOutcome) -> bool:
    """Return whether reasoning is shown with the answer."""
    return outcome.look.thoughts != "hidden" and bool(outcome.reasoning.strip() and outcome.text.strip())


def with_thoughts(outcome: TurnOutcome, title: str, *, is_rich: bool) -> str:
    """Return the answer in Markdown, below its reasoning if the chat shows it.

    Args:
        outcome: how the turn ended.
        title: title of the reasoning.
        is_rich: whether it becomes a rich message, which has more room.
    """
    if not has_thoughts(outcome):
        return outcome.text
    thoughts = clip(outcome.reasoning.strip(), MOST_THOUGHTS if is_rich else _room_above(outcome.text))
    if outcome.look.thoughts == "shown":
        return f"{quoted(thoughts, title)}\n\n{outcome.text}"
    return f"<details><summary>{title}</summary>\n\n{_enclosed(thoughts)}\n\n</details>\n\n{outcome.text}"


def _room_above(answer: str) -> int:
    """Return the UTF-16 units of reasoning for which an answer still fits one message, within the bounds."""
    room = MESSAGE_LIMIT - _TITLE_ROOM - utf16_length(answer)
    return max(LEAST_THOUGHTS, min(MOST_THOUGHTS, room))


def quoted(thoughts: str, title: str) -> str:
    """Return reasoning as a quote in Markdown, below its title."""
    lines = "\n".join(f"> {line}".rstrip() for line in thoughts.splitlines())
    return f"> **{title}**\n>\n{lines}"


def _enclosed(markdown: str) -> str:
    """Return Markdown that leaves no code fence open and does not close the surrounding details."""
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
