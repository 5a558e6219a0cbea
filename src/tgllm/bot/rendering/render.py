"""Renders a model's Markdown as messages."""

from collections.abc import Sequence
from dataclasses import replace

from tgllm.bot.rendering.cut import cut, last_part
from tgllm.bot.rendering.document import Block
from tgllm.bot.rendering.entities import flat_text
from tgllm.bot.rendering.parse import parse
from tgllm.bot.rendering.payloads import EntityText, Payload, RichMessage, RichMode
from tgllm.bot.rendering.rich import rich_blocks
from tgllm.bot.rendering.rich_choice import needs_rich
from tgllm.bot.rendering.rich_limits import has_text, packed
from tgllm.bot.rendering.source.growing import settled
from tgllm.bot.rendering.source.preprocessing import ready_source
from tgllm.bot.rendering.split import is_visible

__all__ = ["asks_for_rich", "render", "render_beginning", "render_draft"]

_GOES_ON = " …"


def render(markdown: str, *, rich: RichMode = "auto") -> list[Payload]:
    """Return the messages that show an answer, in order; none if it has no visible text.

    Rendering never fails: invalid Markdown is shown as text.

    Args:
        markdown: the whole answer.
        rich: whether to use rich messages; ``auto`` uses them for tables, formulas, task lists and details.
    """
    blocks = parse(ready_source(markdown, is_growing=False))
    if rich == "never" or (rich == "auto" and not needs_rich(blocks)):
        return [*cut(flat_text(blocks))]
    return _rich(blocks)


def asks_for_rich(markdown: str) -> bool:
    """Return whether ``auto`` uses rich messages for an answer."""
    return needs_rich(parse(ready_source(markdown, is_growing=False)))


def render_beginning(markdown: str, limit: int) -> list[Payload]:
    """Return the beginning of an answer as one message of at most ``limit`` UTF-16 units, with an ellipsis if cut.

    The result is empty for an answer without visible text.
    """
    parts = cut(flat_text(parse(ready_source(markdown, is_growing=False))), limit - len(_GOES_ON))
    return [replace(part, text=part.text + _GOES_ON) if len(parts) > 1 else part for part in parts[:1]]


def render_draft(prefix: str) -> EntityText:
    """Return the end of an unfinished answer as one message; its text is empty while there is no visible text.

    Tables and formulas are shown as plain text.
    """
    blocks = parse(settled(ready_source(prefix, is_growing=True)))
    shown = last_part(flat_text(blocks))
    return shown if is_visible(shown.text) else EntityText("")


def _rich(blocks: Sequence[Block]) -> list[Payload]:
    payloads: list[Payload] = []
    for group in packed(blocks):
        fallback = cut(flat_text(group.blocks))
        made = rich_blocks(group.blocks) if group.is_rich and fallback else []
        if has_text(made):
            payloads.append(RichMessage(made, tuple(fallback)))
        else:
            payloads.extend(fallback)
    return payloads
