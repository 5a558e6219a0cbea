"""Turns the hidden marks of a paragraph into formats, or back into text."""

import re
from collections.abc import Iterator, Sequence

from tgllm.bot.rendering.document import Inline, Style, Styled, Text
from tgllm.bot.rendering.emphasis.characters import NODE
from tgllm.bot.rendering.emphasis.hidden import MARKS, shown
from tgllm.bot.rendering.emphasis.matching import Run, matched_runs

__all__ = ["MOST_LEVELS", "with_emphasis"]

MOST_LEVELS = 6
"""Most levels of nested formats; deeper ones are dropped."""

_HAS_MARK = re.compile(f"[{MARKS}]")


def with_emphasis(inlines: Sequence[Inline], *, is_growing: bool = False) -> tuple[Inline, ...]:
    """Return the inlines of a paragraph with its emphasis as formats.

    Args:
        inlines: with hidden marks in its texts.
        is_growing: whether an unfinished answer ends in this paragraph.
    """
    if not any(isinstance(inline, Text) and _HAS_MARK.search(inline.text) for inline in inlines):
        return tuple(inlines)
    text = "".join([inline.text.replace(NODE, "\ufffd") if isinstance(inline, Text) else NODE for inline in inlines])
    runs, ended = matched_runs(text, is_growing=is_growing)
    nodes = iter([inline for inline in inlines if not isinstance(inline, Text)])
    tree = _Tree()
    done = 0
    for run in runs:
        tree.pieces(text[done : run.start], nodes)
        tree.run(run)
        done = run.end
    tree.pieces(text[done:], nodes)
    for _ in ended:
        tree.close()
    return tree.inlines()


class _Tree:
    """Builds nested formats with an explicit stack."""

    def __init__(self) -> None:
        self._open: list[tuple[Style | None, list[Inline]]] = [(None, [])]
        self._texts: list[str] = []
        self._deeper = 0
        """Open formats beyond the limit."""

    def inlines(self) -> tuple[Inline, ...]:
        """Return the tree."""
        self._flush()
        return tuple(self._open[0][1])

    def pieces(self, text: str, nodes: Iterator[Inline]) -> None:
        """Add text, and nodes at their places in it."""
        first, *others = text.split(NODE)
        self._texts.append(first)
        for other in others:
            self._flush()
            self._open[-1][1].append(next(nodes))
            self._texts.append(other)

    def run(self, run: Run) -> None:
        """End and begin formats; what is left of the run between them is text."""
        for _ in run.ended:
            self.close()
        self._texts.append(shown(run.mark * run.left))
        for style in reversed(run.begun):
            self._begin(style)

    def close(self) -> None:
        """End the innermost format."""
        if self._deeper:
            self._deeper -= 1
            return
        self._flush()
        style, children = self._open.pop()
        if style is not None and children:
            self._open[-1][1].append(Styled(style, tuple(children)))

    def _begin(self, style: Style) -> None:
        if self._deeper or len(self._open) > MOST_LEVELS:
            self._deeper += 1
        else:
            self._flush()
            self._open.append((style, []))

    def _flush(self) -> None:
        if text := "".join(self._texts):
            self._open[-1][1].append(Text(text))
        self._texts.clear()
