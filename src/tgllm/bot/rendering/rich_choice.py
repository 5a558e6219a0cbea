"""Decides whether an answer needs a rich message."""

from collections.abc import Iterable

from tgllm.bot.rendering.document import (
    Block,
    Details,
    Footnote,
    Formula,
    Heading,
    Inline,
    Item,
    Link,
    List,
    Math,
    Paragraph,
    Quote,
    Styled,
    Table,
)

__all__ = ["needs_rich"]


def needs_rich(blocks: Iterable[Block]) -> bool:
    """Return whether the blocks contain a table, a formula, a task list or details."""
    return any(_block_needs(block) for block in blocks)


def _block_needs(block: Block) -> bool:
    match block:
        case Table() | Formula() | Details():
            return True
        case Paragraph(inlines) | Heading(_, inlines):
            return _has_formula(inlines)
        case Quote(blocks) | Footnote(_, blocks):
            return needs_rich(blocks)
        case List(items):
            return any(_item_needs(item) for item in items)
        case _:
            return False


def _item_needs(item: Item) -> bool:
    return item.checked is not None or needs_rich(item.blocks)


def _has_formula(inlines: Iterable[Inline]) -> bool:
    for inline in inlines:
        if isinstance(inline, Math) or (isinstance(inline, Styled | Link) and _has_formula(inline.inlines)):
            return True
    return False
