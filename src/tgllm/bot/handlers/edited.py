"""Edited messages: a last question whose words or file were edited is asked again."""

from aiogram.types import Message

from tgllm.bot.scope import Scope
from tgllm.bot.turns.addressing import command_in, question_of, written_by
from tgllm.bot.turns.attachments import attachments_in, without_repeats
from tgllm.bot.turns.prompt import told
from tgllm.bot.turns.quotes import quotes_of
from tgllm.bot.turns.readable import content_beside, content_remark
from tgllm.bot.turns.start import run_turn
from tgllm.bot.turns.transcripts import correction_of, is_transcribed
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.bot.updates.raw import content_of
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import files, messages
from tgllm.services.conversations import branches

__all__ = ["handle_edited"]


async def handle_edited(event: Message, scope: Scope) -> None:
    """Ask the last question again if its words or its file changed; edits of others, and of commands, are ignored.

    An edited correction of a voice message corrects it again.
    """
    if command_in(event, scope.parts.username) is not None:
        return
    found = await scope.read(lambda conn: _last_question(conn, event, scope))
    if found is None:
        await _correct_again(event, scope)
        return
    question, keys = found
    whole, words = written_by(event).stripped(), question_of(event, scope)
    own = attachments_in(content_of(scope.row), scope.parts.downloads.most_bytes)
    has_words = bool(words.text)
    content = content_beside(event, scope, own, has_words=has_words)
    remark = content_remark(content, scope, own, has_words=has_words)
    # A text that only names the bot asks about the message to which it replies.
    shown = "\n".join(each for each in (remark, markdown_of(words)) if each) or markdown_of(whole)
    if not shown:
        return
    branch, unquoted = branches.branch_before(question), told(event, scope, shown)
    # Telegram also reports changes other than of the content, such as a link's preview. How much is quoted may change.
    is_same_text = question.text == unquoted or question.text.endswith(f"]\n{unquoted}")
    is_same_text = is_same_text or is_transcribed(question.text, unquoted, own)
    if is_same_text and {each.key for each in own} <= keys:
        return
    quoted = await quotes_of(event, scope, unquoted, branch)
    if words.text or own or quoted.remarks or quoted.attachments:
        await run_turn(
            scope,
            told(event, scope, shown, quoted.remarks),
            (event.message_id,),
            branch=branch,
            title=words.text or content or whole.text,
            attachments=without_repeats([*quoted.attachments, *own]),
            has_words=has_words or not own,
        )


async def _correct_again(event: Message, scope: Scope) -> None:
    words = question_of(event, scope)
    corrected = await correction_of(event, scope, markdown_of(words))
    # Another message than the last correction may be a reply to the same voice message.
    if corrected is not None and event.message_id in corrected.before:
        await run_turn(scope, corrected.text, corrected.message_ids, branch=corrected.branch, title=words.text)


def _last_question(conn: Connection, event: Message, scope: Scope) -> tuple[messages.Message, set[str]] | None:
    """Return the last question and the keys of its files, if it is this message."""
    question = branches.last_question(conn, scope.lane.key)
    # A question that the client has split is not asked again with only the edited part.
    if question is None or question.telegram_message_ids != (event.message_id,):
        return None
    return question, {each.key or "" for each in files.of_message(conn, question.id)}
