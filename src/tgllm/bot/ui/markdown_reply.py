"""Markdown of any length as messages of the chat, for whatever is no answer of a model."""

from tgllm.bot.delivery.rows import answer_rows
from tgllm.bot.rendering.render import render
from tgllm.bot.scope import Scope
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations
from tgllm.services.chats.settings import RichMode, settings_of

__all__ = ["send_long_message"]


async def send_long_message(scope: Scope, markdown: str) -> None:
    """End the update with a text in Markdown, in as many messages as it takes, which go through the outbox.

    It is cut as answers of models are: by the UTF-16 units of what is shown, at paragraphs, lines, sentences or words,
    with at most 100 entities a message, and never within a character; code goes on in its language (see
    ``rendering.cut``). Nothing is sent where there is nothing to see.
    """
    rich: RichMode = await scope.read(lambda conn: _rich(conn, scope))
    await scope.end(replies=answer_rows(scope.lane, render(markdown, rich=rich)))


def _rich(conn: Connection, scope: Scope) -> RichMode:
    """Whether rich messages are used: as the chat wants it, or the settings."""
    chosen = settings_of(conversations.active_in(conn, scope.lane.key)).rich
    return chosen or scope.config.rendering.rich
