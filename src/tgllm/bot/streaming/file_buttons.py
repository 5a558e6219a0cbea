"""Buttons below an answer that send its code blocks, its tables, or the whole of it as files."""

import asyncio
from collections.abc import Sequence
from typing import Final

from tgllm.bot.delivery.extract_files import offers_of
from tgllm.bot.renderer.renderer import INLINE_CHARS
from tgllm.bot.streaming.answer_files import FILE_NAME
from tgllm.services.common.text import clip

__all__ = ["AS_FILE", "file_buttons"]

AS_FILE: Final = "as_file"
"""First word of the callback data; the turn and the digest of the file follow, each behind a colon."""
MOST_LABEL = 30
_IN_ROW = 2


async def file_buttons(markdown: str, turn_id: str, code_lines: int, *, whole: bool) -> list[Sequence[tuple[str, str]]]:
    """Return rows of buttons; none for an answer without large code blocks and tables.

    Args:
        markdown: the answer.
        turn_id: of the turn.
        code_lines: lines from which a code block has a button; 0: no buttons.
        whole: whether a long answer is offered as a whole; otherwise it is a file already.
    """
    if not code_lines:
        return []
    if len(markdown) > INLINE_CHARS:
        offers = await asyncio.to_thread(offers_of, markdown, code_lines, FILE_NAME)
    else:
        offers = offers_of(markdown, code_lines, FILE_NAME)
    made = [
        (f"📄 {clip(offer.name, MOST_LABEL)}", f"{AS_FILE}:{turn_id}:{offer.digest}")
        for offer in offers
        if whole or offer.name != FILE_NAME
    ]
    return [made[at : at + _IN_ROW] for at in range(0, len(made), _IN_ROW)]
