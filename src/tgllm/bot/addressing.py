"""Whether a message in a group is meant for the bot, and what of it is the question."""

from aiogram.types import Message

from tgllm.bot.heard import is_text_heard, mention_of, speaks_to_bot
from tgllm.bot.scope import UpdateScope
from tgllm.services.group_mode import GroupMode

__all__ = ["is_addressed", "is_heard", "question_of", "words_in"]


def is_addressed(message: Message, scope: UpdateScope) -> bool:
    """In a private chat every message is; in a group a command, a mention and a reply to the bot are."""
    if scope.chat.is_private:
        return True
    replied = message.reply_to_message
    author = None if replied is None or replied.from_user is None else replied.from_user.id
    return speaks_to_bot(scope.parts.bot_id, scope.parts.username, _text(message), author)


def is_heard(message: Message, scope: UpdateScope, mode: GroupMode) -> bool:
    """Whether the bot is to answer a message, in a group of that mode."""
    if scope.chat.is_private:
        return True
    return is_text_heard(_text(message), scope.parts.username, mode, is_spoken_to=is_addressed(message, scope))


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


def _text(message: Message) -> str:
    return message.text or message.caption or ""
