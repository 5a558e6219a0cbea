"""Corrections of what was heard in a voice message: a reply to it is asked in its place.

- A reply to the own voice message has the words that were said.
- A reply to a part of the transcript, which is quoted above the answer, has the words in place of that part.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aiogram.types import Message

from tgllm.bot.scope import Scope
from tgllm.bot.streaming.transcripts import MARK
from tgllm.bot.turns.addressing import written_by
from tgllm.bot.turns.prompt import said
from tgllm.bot.turns.shown_thoughts import without_transcript
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.transcripts import transcripts_of
from tgllm.db.tables import messages
from tgllm.services.conversations import branches
from tgllm.services.conversations.turn import Branch
from tgllm.services.files.attachment import Attachment
from tgllm.services.files.spoken import lacks_words

__all__ = ["Correction", "correction_of", "is_transcribed"]

_REMARKS = re.compile(r"(?:\[[^\n]*\]\n)*")
"""Lines before the words of a question, such as a remark on the message to which it replies."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A question with the corrected words of a voice message."""

    text: str
    message_ids: tuple[int, ...]
    branch: Branch
    before: tuple[int, ...]
    """Ids of the messages of the question that is corrected."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """The last question, if it is a voice message of the sender."""

    question: messages.Message
    transcripts: tuple[str, ...]


async def correction_of(message: Message, scope: Scope, words: str) -> Correction | None:
    """Return the question that a message, or its edit, corrects; None if it corrects none.

    Args:
        message: a text from the chat.
        scope: its update.
        words: the text as Markdown, without the mention of the bot.
    """
    replied = message.reply_to_message
    if replied is None or not words or message.external_reply is not None:
        return None
    part = _quoted_part(message, replied, scope)
    is_own = replied.from_user is not None and replied.from_user.id == scope.user.id and replied.forward_origin is None
    if part is None and not (is_own and (replied.voice or replied.video_note)):
        return None
    heard = await scope.read(lambda conn: _heard(conn, scope, replied.message_id, part))
    text = None if heard is None else _corrected(heard, part, words, scope)
    if heard is None or text is None or text == heard.question.text:
        return None
    before = heard.question.telegram_message_ids
    return Correction(
        text, tuple(dict.fromkeys((message.message_id, *before))), branches.branch_before(heard.question), before
    )


def is_transcribed(question: str, shown: str, attachments: Sequence[Attachment]) -> bool:
    """Return whether a question is what a voice message shows, with the words that were heard.

    Args:
        question: as the model reads it.
        shown: the message as the model would read it: a remark, or its caption.
        attachments: the files of the message.
    """
    if not attachments or any(each.kind not in {"voice", "video_note"} for each in attachments):
        return False
    return (lacks_words(shown) and not lacks_words(question)) or question.startswith(f"{shown}\n\n")


def _quoted_part(message: Message, replied: Message, scope: Scope) -> str | None:
    """Return the part of the transcript above an answer to which a message replies; None if it replies to none."""
    if replied.from_user is None or replied.from_user.id != scope.parts.bot_id:
        return None
    if message.quote is None or not message.quote.is_manual:
        return None
    whole = written_by(replied)
    shown = whole.text.removesuffix(without_transcript(whole).text)
    part = message.quote.text.removeprefix(MARK.strip()).strip()
    # Telegram counts UTF-16 units, of which there are at least as many as characters.
    is_above = shown != whole.text and message.quote.position < 2 * len(shown)
    return part if is_above and part and part in shown else None


def _heard(conn: Connection, scope: Scope, replied_id: int, part: str | None) -> _Heard | None:
    """Return the last question, if it is the replied voice message, or if the replied message answers it."""
    question = branches.last_question(conn, scope.lane.key)
    if question is None or question.user_id != scope.user.id:
        return None
    if part is None:
        is_meant = replied_id in question.telegram_message_ids
    else:
        shown = messages.find_by_telegram(conn, scope.lane.chat_id, replied_id)
        is_meant = shown is not None and shown.parent_id == question.id
    return _Heard(question, tuple(transcripts_of(conn, question.id))) if is_meant else None


def _corrected(heard: _Heard, part: str | None, words: str, scope: Scope) -> str | None:
    """Return the corrected question; None if its words were written, or if the model has listened itself."""
    question = heard.question.text
    found = _REMARKS.match(question)
    remarks = found.group() if found else ""
    spoken = question[len(remarks) :]
    if part is not None:
        return remarks + spoken.replace(part, words, 1) if part in spoken else None
    for transcript in heard.transcripts:
        if transcript in spoken:
            return remarks + spoken.replace(transcript, words, 1)
    # Corrected before, so that the voice message is no file of the question any more.
    is_corrected = len(heard.question.telegram_message_ids) > 1 and not heard.transcripts
    return remarks + said(scope, words) if is_corrected and not lacks_words(question) else None
