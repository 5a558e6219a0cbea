"""Edited messages: an edited last question is asked again."""

from aiogram.types import Message

from tgllm.bot.scope import Scope
from tgllm.bot.turns.addressing import command_in, question_of, written_by
from tgllm.bot.turns.prompt import told
from tgllm.bot.turns.quotes import quotes_of
from tgllm.bot.turns.start import run_turn
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import messages
from tgllm.services.conversations import branches

__all__ = ["handle_edited"]


async def handle_edited(event: Message, scope: Scope) -> None:
    """Ask the last question again if it was edited; edits of other messages, and to commands, are ignored."""
    whole = written_by(event).stripped()
    words = question_of(event, scope)
    if not whole.text or command_in(event, scope.parts.username) is not None:
        return
    question = await scope.read(lambda conn: _last_question(conn, event, scope))
    if question is None:
        return
    branch, attached = branches.branch_before(question), 0 if event.text else 1
    # A text that only names the bot asks about the message to which it replies.
    markdown = markdown_of(words) or markdown_of(whole)
    unquoted = told(event, scope, markdown, attached=attached)
    # Telegram also reports changes other than of the text, such as a link's preview. How much is quoted may change.
    if question.text == unquoted or question.text.endswith(f"]\n{unquoted}"):
        return
    quotes = await quotes_of(event, scope, unquoted, branch)
    if words.text or quotes:
        text = told(event, scope, markdown, quotes, attached)
        await run_turn(scope, text, (event.message_id,), branch=branch, title=words.text or whole.text)


def _last_question(conn: Connection, event: Message, scope: Scope) -> messages.Message | None:
    """Return the last question, if it is this message."""
    question = branches.last_question(conn, scope.lane.key)
    # A question that the client has split is not asked again with only the edited part.
    return question if question is not None and question.telegram_message_ids == (event.message_id,) else None
