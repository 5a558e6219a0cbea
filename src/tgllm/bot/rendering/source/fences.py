"""Makes the outer fence of nested code blocks longer, since models write both with three backticks.

A fence with a language inside a block of Markdown or plain text begins a block of its own, so the next bare fence ends
that one. If the outer block would not be closed then, CommonMark's reading holds: the first bare fence ends it.
"""

import re
from dataclasses import dataclass

__all__ = ["with_nested_fences"]

MOST_FAILURES = 8
"""Blocks whose nesting is not closed, after which no further ones are looked at: each takes time for the whole text."""

_OUTER = frozenset(
    {"", "markdown", "md", "mdx", "mdown", "text", "txt", "plaintext", "plain", "prompt", "quarto", "qmd"}
)
_FENCE_LINE = re.compile(
    r"^(?P<prefix>[ \t>*+\-\d.)]*+)(?P<fence>`{3,}+(?![^`\n]*+`)|~{3,}+)[ \t]*+(?P<info>[^\n]*+)", re.MULTILINE
)
_NESTED = re.compile(r"^[ \t>*+\-\d.)]*+(?:`{3,}+|~{3,}+)[ \t]*+[\w+#.-]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Fence:
    start: int
    """Of the backticks."""
    mark: str
    info: str


def with_nested_fences(markdown: str, *, is_growing: bool) -> str:
    """Return the Markdown in which a code block that contains others has the longest fence."""
    if not _NESTED.search(markdown):
        return markdown
    fences = [
        _Fence(found.start("fence"), found["fence"], found["info"].strip()) for found in _FENCE_LINE.finditer(markdown)
    ]
    longer: dict[int, str] = {}
    index = failures = 0
    while index < len(fences):
        outer = fences[index]
        end = (
            _end_of_nested(fences, index, is_growing=is_growing)
            if _may_nest(outer) and failures < MOST_FAILURES
            else None
        )
        if end is None:
            failures += _may_nest(outer)
            index = _end_of(fences, index) + 1
            continue
        closing, length = end
        if length:
            for fence in (outer, *fences[closing : closing + 1]):
                longer[fence.start] = outer.mark[0] * (length + 1 - len(fence.mark))
        index = closing + 1
    pieces: list[str] = []
    done = 0
    for start, more in longer.items():
        pieces += markdown[done:start], more
        done = start
    return "".join(pieces) + markdown[done:]


def _may_nest(fence: _Fence) -> bool:
    return fence.info.partition(" ")[0].lower() in _OUTER


def _end_of(fences: list[_Fence], index: int) -> int:
    """Return the index of the fence that ends a block by CommonMark's rules; the last index if there is none."""
    mark = fences[index].mark
    for place in range(index + 1, len(fences)):
        if not fences[place].info and fences[place].mark.startswith(mark):
            return place
    return len(fences)


def _end_of_nested(fences: list[_Fence], index: int, *, is_growing: bool) -> tuple[int, int] | None:
    """Return the index of the fence that ends a block with nested ones, and the length of the longest one within.

    The length is 0 if there are none; the result is None if the block is not closed.
    """
    outer = fences[index]
    inner, length = "", 0
    for place in range(index + 1, len(fences)):
        fence = fences[place]
        if inner:
            if not fence.info and fence.mark.startswith(inner):
                inner = ""
        elif fence.info:
            inner = fence.mark
            if fence.mark[0] == outer.mark[0]:
                length = max(length, len(fence.mark))
        elif fence.mark.startswith(outer.mark):
            return place, max(length, len(fence.mark) - 1) if length else 0
    return (len(fences), length) if is_growing else None
