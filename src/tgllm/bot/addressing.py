"""Whether a message in a group is meant for the bot, and what of it is the question."""

from aiogram.types import Message

from tgllm.bot.commands import parse_command
from tgllm.bot.scope import UpdateScope

__all__ = ["is_addressed", "question_of"]


def is_addressed(message: Message, scope: UpdateScope) -> bool:
    """In a private chat every message is; in a group a command, a mention and a reply to the bot are."""
    if scope.chat.is_private:
        return True
    replied = message.reply_to_message
    if replied is not None and replied.from_user is not None and replied.from_user.id == scope.parts.bot_id:
        return True
    text = message.text or message.caption or ""
    return parse_command(text, scope.parts.username) is not None or _mention(scope) in text.lower()


def question_of(message: Message, scope: UpdateScope) -> str:
    """The text without the bot's name."""
    text = message.text or ""
    if scope.chat.is_private:
        return text.strip()
    mention = _mention(scope)
    start = text.lower().find(mention)
    if start < 0:
        return text.strip()
    return (text[:start].rstrip() + " " + text[start + len(mention) :].lstrip(" ,:")).strip()


def _mention(scope: UpdateScope) -> str:
    return f"@{scope.parts.username.lower()}"
