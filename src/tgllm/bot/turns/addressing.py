"""Decides whether a message in a group is for the bot, and extracts its question."""

from aiogram.types import Message

from tgllm.bot.scope import UpdateScope
from tgllm.bot.updates.command import ParsedCommand, parse_command
from tgllm.bot.updates.mentions import is_text_heard, mention_of, speaks_to_bot
from tgllm.services.chats.group_mode import GroupMode

__all__ = ["command_in", "is_addressed", "is_heard", "question_of", "words_in"]


def command_in(message: Message, username: str) -> ParsedCommand | None:
    """Return the command in a text or caption; None for any other message, and for text that the sender did not write.

    The sender of a forwarded message, or of one made by another bot (Bot API: Message, via_bot), may not know what the
    command would do here.
    """
    return parse_command(_text(message), username) if _is_own(message) else None


def is_addressed(message: Message, scope: UpdateScope) -> bool:
    """Return whether a message is for the bot: in a group, a command, a mention or a reply to it."""
    if scope.chat.is_private:
        return True
    replied = message.reply_to_message
    author = None if replied is None or replied.from_user is None else replied.from_user.id
    return speaks_to_bot(scope.parts.bot_id, scope.parts.username, _text(message), author, is_own=_is_own(message))


def is_heard(message: Message, scope: UpdateScope, mode: GroupMode) -> bool:
    """Return whether the bot answers a message, in a group of that mode."""
    if scope.chat.is_private:
        return True
    is_spoken_to = is_addressed(message, scope)
    return is_text_heard(_text(message), scope.parts.username, mode, is_spoken_to=is_spoken_to, is_own=_is_own(message))


def question_of(message: Message, scope: UpdateScope) -> str:
    """Return the text or caption without the mention of the bot."""
    text = _text(message)
    return text.strip() if scope.chat.is_private else words_in(text, scope.parts.username)


def words_in(text: str, username: str) -> str:
    """Return a text of a group without the mention of the bot; ``username`` is without the @."""
    found = mention_of(username).search(text)
    if found is None:
        return text.strip()
    return (text[: found.start()].rstrip() + " " + text[found.end() :].lstrip(" ,:")).strip()


def _is_own(message: Message) -> bool:
    # Servers of an earlier Bot API than 7.0 mark forwarded messages by forward_date.
    return message.forward_origin is None and message.forward_date is None and message.via_bot is None


def _text(message: Message) -> str:
    return message.text or message.caption or ""
