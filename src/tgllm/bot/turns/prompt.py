"""Prompt text of a message: its words, with remarks on the speaker, the quoted message and the origin."""

from collections.abc import Collection, Iterator

from aiogram.types import (
    Message,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
)

from tgllm.bot.scope import Scope
from tgllm.services.common.text import clip
from tgllm.services.people.names import full_name

__all__ = ["replied_text", "said", "told"]

MOST_QUOTED = 300
"""Most UTF-16 units of a quote."""
MOST_NAME = 64
"""Most UTF-16 units of a name."""


def told(message: Message, scope: Scope, words: str, shown: Collection[int], attached: int = 0) -> str:
    """Return the message as the model reads it.

    Args:
        message: from the chat.
        scope: its update.
        words: its text, without the mention of the bot.
        shown: Telegram's ids of the messages of the preceding answer, which is not quoted as a whole.
        attached: number of its pictures or files.
    """
    remarks = [*_remarks(message, scope, shown)]
    if attached:
        remarks.append(scope.text("prompt.attached", count=attached))
    return "\n".join([*remarks, said(scope, words)])


def _remarks(message: Message, scope: Scope, shown: Collection[int]) -> Iterator[str]:
    quote = _quote(message, shown)
    if quote:
        yield _replying(message, scope, clip(" ".join(quote.split()), MOST_QUOTED))
    origin = _origin(message)
    if origin is not None:
        yield scope.text("prompt.forwarded", name=_name(origin))


def said(scope: Scope, words: str) -> str:
    """Return the words as the model reads them: in a group with the name of the speaker."""
    if scope.chat.is_private:
        return words
    return scope.text("prompt.said", name=_name(full_name(scope.person)), text=words)


def _quote(message: Message, shown: Collection[int]) -> str:
    """Return the quoted part of the replied message, or all of it. Bot API: Message, TextQuote."""
    replied = message.reply_to_message
    if message.quote is None and replied is not None and replied.message_id in shown:
        return ""
    return replied_text(message)


def replied_text(message: Message) -> str:
    """Return the text of the replied message, or the part of it that the user quoted; empty if it is no reply.

    Empty also if others in the chat can't see the replied message, since they may see the answer.
    """
    replied = message.reply_to_message
    if _is_ephemeral_reply(message) or _is_reply_elsewhere(message):
        return ""
    if message.quote is not None:
        return message.quote.text
    return "" if replied is None else replied.text or replied.caption or ""


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


def _replying(message: Message, scope: Scope, quote: str) -> str:
    replied = message.reply_to_message
    author = None if replied is None else replied.from_user
    if author is None:
        return scope.text("prompt.quoting", text=quote)
    if author.id == scope.parts.bot_id:
        return scope.text("prompt.replying_to_you", text=quote)
    return scope.text("prompt.replying", name=_name(author.full_name), text=quote)


def _origin(message: Message) -> str | None:
    """Return the author's name of a forwarded message; None for any other. Bot API: MessageOrigin."""
    match message.forward_origin:
        case None:
            return None
        case MessageOriginUser(sender_user=user):
            return user.full_name
        case MessageOriginHiddenUser(sender_user_name=name):
            return name
        case MessageOriginChat(sender_chat=chat) | MessageOriginChannel(chat=chat):
            return chat.title or ""


def _name(name: str) -> str:
    """Return a name as part of a line, clipped."""
    return clip(" ".join(name.split()), MOST_NAME)
