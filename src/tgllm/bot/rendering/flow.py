"""Normalizes the children of a node: adjacent texts are joined, runs of inlines become paragraphs."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

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

__all__ = ["as_blocks", "as_inlines", "plain_text"]

_LATEX = re.compile(r"[\\^_{}]")
_INLINES = (Text, Code, Math, Styled, Link)
_BLOCKS = (Paragraph, Heading, CodeBlock, Formula, Quote, List, Table, Details, Footnote, Rule)


def plain_text(children: Iterable[object]) -> str:
    """Return the joined text of the text nodes."""
    return "".join(child.text for child in children if isinstance(child, Text))


def as_inlines(children: Iterable[object]) -> tuple[Inline, ...]:
    """Return the inlines among the children, with adjacent texts joined; display formulas become inline ones."""
    done: list[Inline] = []
    pieces: list[str] = []
    for child in children:
        node = Math(child.tex) if isinstance(child, Formula) else child
        if isinstance(node, Text):
            if node.text[:1].isdigit() and not pieces and done and _is_price(done[-1]):
                pieces.append(f"${_tex(done.pop())}$")
            pieces.append(node.text)
        elif isinstance(node, _INLINES):
            _flush(pieces, done)
            done.append(node)
    _flush(pieces, done)
    return tuple(done)


def as_blocks(children: Sequence[Any]) -> tuple[Block, ...]:
    """Return the children as blocks; a display formula is a block if it has its own line."""
    blocks: list[Block] = []
    run: list[Any] = []
    for index, child in enumerate(children):
        if not isinstance(child, _BLOCKS) or (isinstance(child, Formula) and not _has_own_line(children, index)):
            run.append(child)
        else:
            _end_run(run, blocks)
            blocks.append(child)
    _end_run(run, blocks)
    return tuple(blocks)


def _flush(pieces: list[str], done: list[Inline]) -> None:
    text = "".join(pieces)
    pieces.clear()
    if not text:
        return
    last = done[-1] if done else None
    if isinstance(last, Text):
        done[-1] = Text(last.text + text)
    else:
        done.append(Text(text))


def _is_price(node: Inline) -> bool:
    """Return whether amounts before a digit, as in ``$5-$``, or ``$a $`` were parsed as a formula: no LaTeX in them."""
    return isinstance(node, Math) and (node.tex[:1].isdigit() or _LATEX.search(node.tex) is None)


def _tex(node: Inline) -> str:
    return node.tex if isinstance(node, Math) else ""


def _has_own_line(children: Sequence[Any], index: int) -> bool:
    before = children[index - 1] if index else None
    after = children[index + 1] if index + 1 < len(children) else None
    return all(
        not isinstance(near, _INLINES) or (isinstance(near, Text) and _touches(near.text, end))
        for near, end in ((before, -1), (after, 0))
    )


def _touches(text: str, end: int) -> bool:
    return text[end] == "\n" if text else True


def _end_run(run: list[Any], blocks: list[Block]) -> None:
    inlines = list(as_inlines(run))
    run.clear()
    if inlines and isinstance(inlines[0], Text):
        inlines[0] = Text(inlines[0].text.lstrip("\n"))
    if inlines and isinstance(inlines[-1], Text):
        inlines[-1] = Text(inlines[-1].text.rstrip("\n"))
    kept = tuple(node for node in inlines if not isinstance(node, Text) or node.text)
    if kept:
        blocks.append(Paragraph(kept))
