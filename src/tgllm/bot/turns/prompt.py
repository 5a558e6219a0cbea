"""Prompt text of a message: its words, with remarks on the speaker, the quoted message and the origin."""

from collections.abc import Iterator, Sequence

from aiogram.types import Message

from tgllm.bot.scope import Scope
from tgllm.bot.turns.addressing import written_by
from tgllm.bot.turns.authors import name_in_line, origin_of
from tgllm.bot.turns.shown_thoughts import without_shown_thoughts
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.services.people.names import full_name

__all__ = ["quoted_part", "replied_message", "replied_text", "replied_whole", "said", "told"]


def told(message: Message, scope: Scope, words: str, quotes: Sequence[str] = (), attached: int = 0) -> str:
    """Return the message as the model reads it.

    Args:
        message: from the chat.
        scope: its update.
        words: its text as Markdown, without the mention of the bot.
        quotes: remarks on the message to which it replies; see ``quotes_of``.
        attached: number of its pictures or files.
    """
    return "\n".join([*quotes, *_remarks(message, scope, attached), said(scope, words)])


def _remarks(message: Message, scope: Scope, attached: int) -> Iterator[str]:
    origin = origin_of(message, scope)
    if origin is not None:
        yield scope.text("prompt.forwarded", name=origin)
    if attached:
        yield scope.text("prompt.attached", count=attached)


def said(scope: Scope, words: str) -> str:
    """Return the words as the model reads them: in a group with the name of the speaker."""
    if scope.chat.is_private:
        return words
    return scope.text("prompt.said", name=name_in_line(full_name(scope.person)), text=words)


def replied_text(message: Message) -> str:
    """Return the replied message, or the part of it that the user quoted, as Markdown; empty if it is no reply.

    Empty also if others in the chat can't see the replied message, since they may see the answer.
    """
    replied = replied_message(message)
    return quoted_part(message) or ("" if replied is None else replied_whole(replied))


def replied_message(message: Message) -> Message | None:
    """Return the replied message; None if there is none, or if others in the chat can't see it."""
    return None if _is_ephemeral_reply(message) or _is_reply_elsewhere(message) else message.reply_to_message


def quoted_part(message: Message) -> str:
    """Return the quoted part of the replied message; empty if there is none, or if others can't see that message."""
    if message.quote is None or _is_ephemeral_reply(message) or _is_reply_elsewhere(message):
        return ""
    return markdown_of(written_by(message.quote))


def replied_whole(replied: Message) -> str:
    """Return the text or caption of a replied message as Markdown, for an answer without its reasoning."""
    written = written_by(replied)
    is_answer = replied.from_user is not None and replied.from_user.is_bot
    return markdown_of(without_shown_thoughts(written) if is_answer else written)


def _is_ephemeral_reply(message: Message) -> bool:
    """Return whether a message replies to an ephemeral one. Bot API: Message; reply_to_message may then be missing."""
    replied = message.reply_to_message
    if replied is None:
        is_elsewhere = message.external_reply is not None or message.reply_to_story is not None
        return message.chat.type != "private" and message.quote is not None and not is_elsewhere
    return replied.message_id == 0 or replied.ephemeral_message_id is not None or replied.receiver_user is not None


def _is_reply_elsewhere(message: Message) -> bool:
    """Return whether the replied message is of another chat, or of somebody else's topic of direct messages."""
    replied = message.reply_to_message
    if replied is None:
        return False
    topics = [each.direct_messages_topic and each.direct_messages_topic.topic_id for each in (message, replied)]
    return replied.chat.id != message.chat.id or (topics[1] is not None and topics[0] != topics[1])
