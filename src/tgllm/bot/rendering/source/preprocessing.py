"""Prepares a model's Markdown for the parser."""

import re
from bisect import bisect_left

from tgllm.bot.rendering.source.code import outside_code, replaced
from tgllm.services.common.text import mend_surrogates

__all__ = ["ready_source"]

# A formula ends with its paragraph, and has no delimiter of another one inside.
_TEX = r"(?:[^\\$\n]++|\\(?![()\[\]])|\n(?![ \t]*+\n))++"
_FORMULA = outside_code(
    rf"(?<!\\)\\\((?P<inline>{_TEX})\\\)|(?<!\\)\\\[(?P<block>{_TEX})\\\]"
    r"|(?<![\\$])\$\$(?!\$)(?P<dollars>(?:[^$\n]++|\n(?![ \t]*+\n))++)\$\$(?!\$)"
)
_THOUGHT = outside_code(r"^[ \t]*+<(?P<tag>think(?:ing)?+)>", re.IGNORECASE)
_THOUGHT_END = re.compile(r"</(think(?:ing)?+)>[ \t]*+\n?", re.IGNORECASE)
_HAS_THOUGHT = re.compile(r"<think(?:ing)?+>", re.IGNORECASE)
_UNFINISHED_THOUGHT = re.compile(r"\s*+<(?:th?|thin?|thin(?:k(?:i(?:ng?)?)?)?)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def ready_source(markdown: str, *, is_growing: bool) -> str:
    r"""Return equivalent Markdown that CommonMark parses as the model meant it.

    Reasoning between ``<think>`` tags is dropped where it begins a line, and formulas between ``\(`` and ``\)`` or
    ``\[`` and ``\]`` are put between dollar signs; code is left unchanged.

    Args:
        markdown: what the model wrote.
        is_growing: whether the answer is unfinished. Reasoning is then dropped before its closing tag too.
    """
    text = _CONTROL.sub(" ", mend_surrogates(markdown).replace("\r\n", "\n").replace("\r", "\n"))
    text = _without_thoughts(text, is_growing=is_growing)
    if is_growing and _UNFINISHED_THOUGHT.fullmatch(text):
        return ""
    if r"\(" in text or r"\[" in text or "$$" in text:
        text = replaced(text, _FORMULA, _in_dollars)
    return text


def _without_thoughts(text: str, *, is_growing: bool) -> str:
    """Return the text without the reasoning that is closed, and while it is growing without the rest."""
    ends: dict[str, list[tuple[int, int]]] = {}
    for found in _THOUGHT_END.finditer(text):
        ends.setdefault(found[1].lower(), []).append(found.span())

    def removed(opening: re.Match[str]) -> tuple[str, int] | None:
        closings = ends.get(opening["tag"].lower(), [])
        index = bisect_left(closings, opening.span())
        if index < len(closings):
            return "", closings[index][1]
        return ("", len(text)) if is_growing else None

    return replaced(text, _THOUGHT, removed) if ends or (is_growing and _HAS_THOUGHT.search(text)) else text


def _in_dollars(match: re.Match[str]) -> tuple[str, int] | None:
    """Return a formula between dollar signs."""
    inline = match["inline"]
    tex = inline if inline is not None else match["block"] if match["block"] is not None else match["dollars"]
    lines = tex.split("\n")
    if not tex.strip() or any(line.lstrip().startswith(">") for line in lines[1:]):
        return None
    # On one line: a line that begins with a minus or a plus would begin a list.
    mark = "$" if inline is not None else "$$"
    return mark + " ".join(line.strip() for line in lines).strip() + mark, match.end()
