"""Texts in Markdown of any length, other than answers of a model."""

from tgllm.bot.delivery.rows import answer_rows
from tgllm.bot.delivery.text_files import is_too_long
from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.rendering.split import MESSAGE_LIMIT
from tgllm.bot.scope import Scope
from tgllm.bot.updates.raw import turn_id_of
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.chats.settings import RichMode, settings_of

__all__ = ["markdown_rows", "plain_beginning", "send_long_message"]


async def send_long_message(scope: Scope, markdown: str) -> None:
    """Finish the update with a text in Markdown; see ``markdown_rows``."""
    await scope.end(replies=await markdown_rows(scope, markdown))


async def markdown_rows(scope: Scope, markdown: str) -> list[NewOutbox]:
    """Return the rows that send a text in Markdown: as messages, or as a file if it is too long.

    It is split as answers of models are: by the UTF-16 units of the shown text, at paragraphs, lines, sentences or
    words, with at most 100 entities a message, and never within a character; code continues in its language (see
    ``rendering.cut``). Nothing is sent if there is no visible text.
    """
    if len(markdown.strip()) > MESSAGE_LIMIT and is_too_long(markdown, await scope.file_over()):
        return await scope.file_rows(markdown, "reply.md")
    rich: RichMode = await scope.read(lambda conn: _rich(conn, scope))
    payloads = await scope.parts.renderer.render(markdown, rich=rich)
    turn_id = turn_id_of(scope.row.update_id) if len(payloads) > 1 else None
    return answer_rows(scope.lane, payloads, turn_id=turn_id)


async def plain_beginning(scope: Scope, markdown: str) -> str:
    """Return the beginning of a text in Markdown as people see it, without formats."""
    shown = await scope.parts.renderer.beginning(markdown, MESSAGE_LIMIT)
    return next((payload.text for payload in shown if isinstance(payload, EntityText)), "")


def _rich(conn: Connection, scope: Scope) -> RichMode:
    """Return the mode of rich messages: the chat's setting, else the config's."""
    chosen = settings_of(conversations.active_in(conn, scope.lane.key)).rich
    return chosen or scope.config.rendering.rich
