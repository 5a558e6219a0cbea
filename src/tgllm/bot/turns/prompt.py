"""Prompt text of a message: its words, with remarks on the speaker, the quoted message and the origin."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiogram.types import Message

from tgllm.bot.scope import Scope
from tgllm.bot.turns.addressing import written_by
from tgllm.bot.turns.authors import name_in_line, origin_of
from tgllm.bot.turns.shown_thoughts import without_shown_thoughts, without_transcript
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.bot.updates.formats.written import Written
from tgllm.services.people.names import full_name

__all__ = ["QuotedPart", "quoted_part", "replied_message", "replied_text", "replied_whole", "said", "told"]


@dataclass(frozen=True, slots=True)
class QuotedPart:
    """Part of a replied message that the sender of the reply chose, or that Telegram did."""

    written: Written
    """With the formats of the replied message; a quote has few of them, for instance no links (Bot API: TextQuote)."""
    start: int | None = None
    """Index in the replied message; None if the part is not in its text."""


def told(message: Message, scope: Scope, words: str, quotes: Sequence[str] = ()) -> str:
    """Return the message as the model reads it.

    Args:
        message: from the chat.
        scope: its update.
        words: its text as Markdown, without the mention of the bot.
        quotes: remarks on the message to which it replies; see ``quotes_of``.
    """
    return "\n".join([*quotes, *_remarks(message, scope), said(scope, words)])


def _remarks(message: Message, scope: Scope) -> Iterator[str]:
    origin = origin_of(message, scope)
    if origin is not None:
        yield scope.text("prompt.forwarded", name=origin)


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
    whole = Written() if replied is None else replied_whole(replied)
    part = quoted_part(message, whole)
    return markdown_of(whole if part is None else part.written)


def replied_message(message: Message) -> Message | None:
    """Return the replied message; None if there is none, or if others in the chat can't see it."""
    return None if _is_ephemeral_reply(message) or _is_reply_elsewhere(message) else message.reply_to_message


def quoted_part(message: Message, whole: Written) -> QuotedPart | None:
    """Return the quoted part of the replied message.

    None if there is none, or if others can't see that message.

    Args:
        message: the reply.
        whole: the replied message as ``replied_whole`` returns it; empty if it is not known.
    """
    if message.quote is None or _is_ephemeral_reply(message) or _is_reply_elsewhere(message):
        return None
    written = written_by(message.quote)
    if not written.text.strip():
        return None
    start = _place_of(written.text, whole.text, _index_in(whole, message))
    return QuotedPart(written if start is None else whole.part(start, start + len(written.text)), start)


def replied_whole(replied: Message) -> Written:
    """Return the text or caption of a replied message, for an answer without its reasoning."""
    written = written_by(replied)
    is_answer = replied.from_user is not None and replied.from_user.is_bot
    return without_shown_thoughts(without_transcript(written)) if is_answer else written


def _index_in(whole: Written, message: Message) -> int:
    """Return where the quote begins according to Telegram, which counts UTF-16 units and the reasoning of an answer."""
    replied = message.reply_to_message
    if message.quote is None or replied is None:
        return 0
    text = written_by(replied).text
    before = text.encode("utf-16-le", "surrogatepass")[: 2 * max(0, message.quote.position)]
    return len(before.decode("utf-16-le", "ignore")) - max(0, text.rfind(whole.text))


def _place_of(part: str, text: str, about: int) -> int | None:
    """Return the place of a part in a text that is nearest to an index; None if there is none."""
    if text.startswith(part, max(0, about)):
        return max(0, about)
    places = (text.rfind(part, 0, max(0, about) + len(part)), text.find(part, max(0, about)))
    return min((place for place in places if place >= 0), key=lambda place: abs(place - about), default=None)


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
