"""Renders a model's Markdown as messages."""

from collections.abc import Sequence
from dataclasses import replace

from tgllm.bot.rendering.cut import cut, first_part, last_part
from tgllm.bot.rendering.document import Block
from tgllm.bot.rendering.entities import flat_text
from tgllm.bot.rendering.parse import parse
from tgllm.bot.rendering.payloads import EntityText, Payload, RichMessage, RichMode
from tgllm.bot.rendering.rich_choice import needs_rich
from tgllm.bot.rendering.rich_limits import has_text, packed
from tgllm.bot.rendering.source.growing import settled
from tgllm.bot.rendering.source.preprocessing import ready_source
from tgllm.bot.rendering.source.tail import tail_of
from tgllm.bot.rendering.split import MESSAGE_LIMIT, is_visible

__all__ = ["asks_for_rich", "render", "render_beginning", "render_draft", "render_tail"]

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
    part, is_cut = first_part(flat_text(parse(ready_source(markdown, is_growing=False))), limit - len(_GOES_ON))
    if not part.text:
        return []
    return [replace(part, text=part.text + _GOES_ON) if is_cut else part]


def render_draft(prefix: str) -> EntityText:
    """Return the end of an unfinished answer as one message; its text is empty while there is no visible text.

    Tables and formulas are shown as plain text.
    """
    return render_tail(*tail_of(prefix))


def render_tail(
    markdown: str,
    is_cut: bool = False,  # noqa: FBT001, FBT002  as returned by tail_of
    limit: int = MESSAGE_LIMIT,
) -> EntityText:
    """Return the tail of an unfinished answer as one message, like ``render_draft`` of the whole.

    Args:
        markdown: the tail.
        is_cut: whether text has been left out before it.
        limit: most UTF-16 units of the message.
    """
    blocks = parse(settled(ready_source(markdown, is_growing=True)), is_growing=True)
    shown = last_part(flat_text(blocks), limit, is_cut=is_cut)
    return shown if is_visible(shown.text.removeprefix("…") if is_cut else shown.text) else EntityText("")


def _rich(blocks: Sequence[Block]) -> list[Payload]:
    payloads: list[Payload] = []
    for group in packed(blocks):
        fallback = cut(flat_text(group.blocks))
        made = list(group.rich) if fallback else []
        if has_text(made):
            payloads.append(RichMessage(made, tuple(fallback)))
        else:
            payloads.extend(fallback)
    return payloads
