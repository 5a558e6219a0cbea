"""Whether a message in a group is meant for the bot, and what of it is the question."""

import re
from functools import cache

from aiogram.types import Message

from tgllm.bot.commands import parse_command
from tgllm.bot.scope import UpdateScope
from tgllm.services.group_mode import GroupMode

__all__ = ["is_addressed", "is_heard", "question_of"]

_COMMAND_TO_A_BOT = re.compile(r"/\w+@\w+")


def is_addressed(message: Message, scope: UpdateScope) -> bool:
    """In a private chat every message is; in a group a command, a mention and a reply to the bot are."""
    if scope.chat.is_private:
        return True
    replied = message.reply_to_message
    if replied is not None and replied.from_user is not None and replied.from_user.id == scope.parts.bot_id:
        return True
    text = message.text or message.caption or ""
    return parse_command(text, scope.parts.username) is not None or _mention(scope).search(text) is not None


def is_heard(message: Message, scope: UpdateScope, mode: GroupMode) -> bool:
    """Whether the bot is to answer a message, in a group of that mode."""
    if scope.chat.is_private:
        return True
    text = message.text or message.caption or ""
    if mode == "never":
        return parse_command(text, scope.parts.username) is not None
    if is_addressed(message, scope):
        return True
    # What is no command to this bot but has a bot's name is one to another.
    return mode == "always" and bool(text.strip()) and _COMMAND_TO_A_BOT.match(text) is None


def question_of(message: Message, scope: UpdateScope) -> str:
    """The text without the bot's name."""
    text = message.text or ""
    if scope.chat.is_private:
        return text.strip()
    found = _mention(scope).search(text)
    if found is None:
        return text.strip()
    return (text[: found.start()].rstrip() + " " + text[found.end() :].lstrip(" ,:")).strip()


def _mention(scope: UpdateScope) -> re.Pattern[str]:
    return _mention_of(scope.parts.username)


@cache
def _mention_of(username: str) -> re.Pattern[str]:
    # Names consist of Latin letters, digits and underscores: @bot is not spoken to by @bot_two, nor by me@bot.
    return re.compile(rf"(?<!\w)@{re.escape(username)}(?!\w)", re.IGNORECASE | re.ASCII)
