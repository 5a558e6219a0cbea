"""Texts in Markdown of any length, other than answers of a model."""

from tgllm.api import Reply
from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.rendering.split import MESSAGE_LIMIT
from tgllm.bot.replies.composing import in_turn
from tgllm.bot.scope import Scope
from tgllm.bot.updates.raw import turn_id_of

__all__ = ["plain_beginning", "send_long_message"]


async def send_long_message(scope: Scope, markdown: str) -> None:
    """Finish the update with a text in Markdown: as messages, or as a file if it is too long.

    It is split as answers of models are: by the UTF-16 units of the shown text, at paragraphs, lines, sentences or
    words, with at most 100 entities a message, and never within a character; code continues in its language (see
    ``rendering.cut``). Nothing is sent if there is no visible text.
    """
    rows = await scope.parts.composer.compose(scope.lane, Reply(markdown, markdown=True), scope.language)
    await scope.end(replies=in_turn(rows, turn_id_of(scope.row.update_id)))


async def plain_beginning(scope: Scope, markdown: str) -> str:
    """Return the beginning of a text in Markdown as people see it, without formats."""
    shown = await scope.parts.renderer.beginning(markdown, MESSAGE_LIMIT)
    return next((payload.text for payload in shown if isinstance(payload, EntityText)), "")
