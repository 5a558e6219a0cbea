"""Decides by the text which messages of a group are for the bot."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from tgllm.bot.updates.command import parse_command
from tgllm.bot.updates.raw import is_raw_own
from tgllm.bot.updates.values import as_mapping
from tgllm.services.chats.group_mode import GroupMode

__all__ = ["is_raw_heard", "is_text_heard", "mention_of", "speaks_to_bot"]

_COMMAND_TO_A_BOT = re.compile(r"/\w+@\w+", re.ASCII)


def is_raw_heard(message: Mapping[str, Any], bot_id: int, username: str, mode: GroupMode) -> bool:
    """Return whether the bot answers a raw message of a group."""
    text = message.get("text") or message.get("caption")
    text = text if isinstance(text, str) else ""
    author = as_mapping(as_mapping(message.get("reply_to_message")).get("from")).get("id")
    is_own = is_raw_own(message)
    is_spoken_to = speaks_to_bot(bot_id, username, text, author, is_own=is_own)
    return is_text_heard(text, username, mode, is_spoken_to=is_spoken_to, is_own=is_own)


def is_text_heard(text: str, username: str, mode: GroupMode, *, is_spoken_to: bool, is_own: bool) -> bool:
    """Return whether the bot answers a text in a group of that mode."""
    if mode == "never":
        return is_own and parse_command(text, username) is not None
    if is_spoken_to:
        return True
    return mode == "always" and bool(text.strip()) and _COMMAND_TO_A_BOT.match(text) is None


def speaks_to_bot(bot_id: int, username: str, text: str, replied_to: object, *, is_own: bool) -> bool:
    """Return whether a text is a command to the bot, a mention of it, or a reply to it."""
    if is_own and parse_command(text, username) is not None:
        return True
    if _COMMAND_TO_A_BOT.match(text):
        # A command with another bot's name is for that bot, even in a reply to this one.
        return False
    return replied_to == bot_id or mention_of(username).search(text) is not None


@cache
def mention_of(username: str) -> re.Pattern[str]:
    """Return the pattern of a mention of the bot."""
    # Usernames consist of Latin letters, digits and underscores: neither @bot_two nor me@bot mentions @bot.
    return re.compile(rf"(?<!\w)@{re.escape(username)}(?!\w)", re.IGNORECASE | re.ASCII)
