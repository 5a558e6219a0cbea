"""Names of authors as a model reads them: of a replied message, and of the origin of a forwarded one."""

from aiogram.types import (
    Chat,
    Message,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
)

from tgllm.bot.scope import Scope
from tgllm.services.common.text import clip

__all__ = ["author_of", "name_in_line", "origin_of", "own_name"]

MOST_NAME = 64
"""Most UTF-16 units of a name."""

Origin = MessageOriginUser | MessageOriginHiddenUser | MessageOriginChat | MessageOriginChannel


def author_of(message: Message, scope: Scope) -> str:
    """Return who sent a message, and where it was forwarded from; empty if Telegram does not say it.

    A message in the name of a chat names that chat: its ``from`` is a placeholder (Bot API: Message, sender_chat).
    """
    if message.sender_chat is not None:
        name = _named(_title(message.sender_chat), message.author_signature)
    else:
        name = "" if message.from_user is None else name_in_line(message.from_user.full_name)
    origin = origin_of(message, scope)
    return name if origin is None else scope.text("prompt.forwarded_by", name=name, origin=origin)


def origin_of(message: Message, scope: Scope) -> str | None:
    """Return the origin of a forwarded message; None for any other. Bot API: MessageOrigin."""
    if message.forward_origin is not None:
        name = own_name(message.forward_origin)
    elif message.forward_date is not None:
        # Servers of an earlier Bot API than 7.0.
        name = _old_origin(message)
    else:
        return None
    return name or scope.text("prompt.hidden_name")


def own_name(origin: Origin) -> str:
    """Return the name of an origin; empty if it has none."""
    match origin:
        case MessageOriginUser(sender_user=user):
            return name_in_line(user.full_name)
        case MessageOriginHiddenUser(sender_user_name=name):
            return name_in_line(name)
        case MessageOriginChat(sender_chat=chat, author_signature=signature):
            return _named(_title(chat), signature)
        case MessageOriginChannel(chat=chat, author_signature=signature):
            return _named(_title(chat), signature)


def name_in_line(name: str) -> str:
    """Return a name as part of a line, clipped."""
    return clip(" ".join(name.split()), MOST_NAME)


def _old_origin(message: Message) -> str:
    if message.forward_from_chat is not None:
        return _named(_title(message.forward_from_chat), message.forward_signature)
    if message.forward_from is not None:
        return name_in_line(message.forward_from.full_name)
    return name_in_line(message.forward_sender_name or "")


def _title(chat: Chat) -> str:
    return name_in_line(chat.title or chat.first_name or chat.username or "")


def _named(title: str, signature: str | None) -> str:
    """Return the name of a chat, with that of the author whom Telegram names."""
    return f"{title} ({name_in_line(signature)})" if title and signature and signature.strip() else title
