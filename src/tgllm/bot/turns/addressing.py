"""Whether a message in a group is meant for the bot, and what of it is the question."""

from aiogram.types import Message

from tgllm.bot.scope import UpdateScope
from tgllm.bot.updates.command import ParsedCommand, parse_command
from tgllm.bot.updates.mentions import is_text_heard, mention_of, speaks_to_bot
from tgllm.services.chats.group_mode import GroupMode

__all__ = ["command_in", "is_addressed", "is_heard", "question_of", "words_in"]


def command_in(message: Message, username: str) -> ParsedCommand | None:
    """The command that a message is; None for any other, and for what somebody else has written.

    Whoever forwards a message, or picks one that another bot has made (Bot API: Message, via_bot), may not know what it
    would do here.
    """
    return parse_command(message.text or "", username) if _is_own(message) else None


def is_addressed(message: Message, scope: UpdateScope) -> bool:
    """In a private chat every message is; in a group a command, a mention and a reply to the bot are."""
    if scope.chat.is_private:
        return True
    replied = message.reply_to_message
    author = None if replied is None or replied.from_user is None else replied.from_user.id
    return speaks_to_bot(scope.parts.bot_id, scope.parts.username, _text(message), author, is_own=_is_own(message))


def is_heard(message: Message, scope: UpdateScope, mode: GroupMode) -> bool:
    """Whether the bot is to answer a message, in a group of that mode."""
    if scope.chat.is_private:
        return True
    is_spoken_to = is_addressed(message, scope)
    return is_text_heard(_text(message), scope.parts.username, mode, is_spoken_to=is_spoken_to, is_own=_is_own(message))


def question_of(message: Message, scope: UpdateScope) -> str:
    """The text or caption without the bot's name."""
    text = _text(message)
    return text.strip() if scope.chat.is_private else words_in(text, scope.parts.username)


def words_in(text: str, username: str) -> str:
    """A text of a group without the bot's name; ``username`` is that, without the @."""
    found = mention_of(username).search(text)
    if found is None:
        return text.strip()
    return (text[: found.start()].rstrip() + " " + text[found.end() :].lstrip(" ,:")).strip()


def _is_own(message: Message) -> bool:
    return message.forward_origin is None and message.via_bot is None


def _text(message: Message) -> str:
    return message.text or message.caption or ""
