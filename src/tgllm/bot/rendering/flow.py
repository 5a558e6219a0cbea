"""Normalizes the children of a node: adjacent texts are joined, runs of inlines become paragraphs."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from tgllm.bot.rendering.document import (
    Block,
    Code,
    CodeBlock,
    Details,
    Footnote,
    Formula,
    Heading,
    Inline,
    Link,
    List,
    Math,
    Paragraph,
    Quote,
    Rule,
    Styled,
    Table,
    Text,
)
from tgllm.bot.rendering.emphasis.hidden import shown
from tgllm.bot.rendering.emphasis.styled import with_emphasis

__all__ = ["BREAK", "as_blocks", "as_inlines", "plain_text"]

BREAK: Final = object()
"""Stands between children that never share a paragraph."""

_LATEX = re.compile(r"[\\^_{}]")
_ON_A_LINE = (Text, Code, Math, Styled, Link)
_INLINES = (*_ON_A_LINE, Formula)
_BLOCKS = (Paragraph, Heading, CodeBlock, Quote, List, Table, Details, Footnote, Rule)


def plain_text(children: Iterable[object]) -> str:
    """Return the joined text of the text nodes, in which emphasis has no meaning."""
    return shown("".join([child.text for child in children if isinstance(child, Text)]))


def as_inlines(children: Sequence[object], *, is_growing: bool = False) -> tuple[Inline, ...]:
    """Return the inlines among the children, with their emphasis; display formulas become inline ones.

    Args:
        children: with hidden marks.
        is_growing: whether an unfinished answer ends with them.
    """
    if len(children) == 1 and isinstance(first := children[0], Text):
        return with_emphasis([first], is_growing=is_growing) if first.text else ()
    done: list[Inline] = []
    pieces: list[str] = []
    formula: Math | None = None
    for child in children:
        if isinstance(child, Text):
            if formula is not None and child.text[:1].isdigit() and _is_price(formula):
                pieces.append(f"${formula.tex}$")
            else:
                _add(formula, pieces, done)
            formula = None
            pieces.append(child.text)
        elif isinstance(child, _INLINES):
            _add(formula, pieces, done)
            formula = None
            if isinstance(child, Math | Formula):
                # What follows decides whether it is an amount of money.
                formula = Math(child.tex)
            else:
                _add(child, pieces, done)
    _add(formula, pieces, done)
    _flush(pieces, done)
    return with_emphasis(done, is_growing=is_growing)


def as_blocks(children: Sequence[object], *, is_growing: bool = False) -> tuple[Block, ...]:
    """Return the children as blocks; a display formula is a block if it has its own line."""
    if len(children) == 1 and isinstance(children[0], _BLOCKS):
        return (children[0],)
    blocks: list[Block] = []
    run: list[object] = []
    for index, child in enumerate(children):
        if isinstance(child, _BLOCKS) or (isinstance(child, Formula) and _has_own_line(children, index)):
            _end_run(run, blocks)
            blocks.append(child)
        elif child is BREAK:
            _end_run(run, blocks)
        else:
            run.append(child)
    _end_run(run, blocks, is_growing=is_growing)
    return tuple(blocks)


def _add(inline: Inline | None, pieces: list[str], done: list[Inline]) -> None:
    if inline is not None:
        _flush(pieces, done)
        done.append(inline)


def _flush(pieces: list[str], done: list[Inline]) -> None:
    if text := "".join(pieces):
        done.append(Text(text))
    pieces.clear()


def _is_price(formula: Math) -> bool:
    """Return whether amounts before a digit, as in ``$5-$``, or ``$a $`` were parsed as a formula: no LaTeX in them."""
    return formula.tex[:1].isdigit() or _LATEX.search(formula.tex) is None


def _has_own_line(children: Sequence[object], index: int) -> bool:
    before = children[index - 1] if index else None
    after = children[index + 1] if index + 1 < len(children) else None
    return all(
        not isinstance(near, _ON_A_LINE) or (isinstance(near, Text) and _touches(near.text, end))
        for near, end in ((before, -1), (after, 0))
    )


def _touches(text: str, end: int) -> bool:
    return text[end] == "\n" if text else True


def _end_run(run: list[object], blocks: list[Block], *, is_growing: bool = False) -> None:
    if not run:
        return
    inlines = list(as_inlines(run, is_growing=is_growing))
    run.clear()
    if inlines and isinstance(first := inlines[0], Text) and first.text.startswith("\n"):
        inlines[0] = Text(first.text.lstrip("\n"))
    if inlines and isinstance(last := inlines[-1], Text) and last.text.endswith("\n"):
        inlines[-1] = Text(last.text.rstrip("\n"))
    kept = tuple([node for node in inlines if not isinstance(node, Text) or node.text])
    if kept:
        blocks.append(Paragraph(kept))
