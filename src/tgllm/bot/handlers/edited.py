"""Edited messages: an edited last question is asked again."""

from aiogram.types import Message

from tgllm.bot.scope import Scope
from tgllm.bot.turns.addressing import command_in, question_of
from tgllm.bot.turns.prompt import told
from tgllm.bot.turns.start import run_turn
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import messages
from tgllm.services.conversations import branches

__all__ = ["handle_edited"]


async def handle_edited(event: Message, scope: Scope) -> None:
    """Ask the last question again if it was edited; edits of other messages, and to commands, are ignored."""
    words = question_of(event, scope)
    if not words or command_in(event, scope.parts.username) is not None:
        return
    found = await scope.read(lambda conn: _question_and_shown(conn, event, scope))
    if found is None:
        return
    question, shown = found
    text = told(event, scope, words, shown, 0 if event.text else 1)
    # Telegram also reports changes other than of the text, such as a link's preview.
    if text != question.text:
        await run_turn(scope, text, (event.message_id,), branch=branches.branch_before(question), title=words)


def _question_and_shown(
    conn: Connection, event: Message, scope: Scope
) -> tuple[messages.Message, tuple[int, ...]] | None:
    """Return the last question, if it is this message, and the ids of the messages of the answer before it."""
    question = branches.last_question(conn, scope.lane.key)
    # A question that the client has split is not asked again with only the edited part.
    if question is None or question.telegram_message_ids != (event.message_id,):
        return None
    return question, branches.shown_by(conn, question.parent_id)
