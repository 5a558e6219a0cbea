"""Visibility of group messages for bots."""

import re

from tgllm.testing.emulator.state.bots import EmulatedBot
from tgllm.testing.emulator.state.records import EmulatedMessage

__all__ = ["hears"]

_FOR_ONE_BOT = re.compile(r"/\w+@\w")
_NAME = re.compile(r"@(\w+)")


def hears(bot: EmulatedBot, message: EmulatedMessage) -> bool:
    """Return whether the bot receives an update for the message.

    In privacy mode, a bot that is not an administrator of the group receives only commands, mentions of it and
    replies to it. Source: Bots FAQ, "What messages will my bot get?".
    """
    chat = message.chat
    if chat.is_private or bot.reads_all_group_messages or chat.statuses.get(bot.id) in {"administrator", "creator"}:
        return True
    if message.reply_to is not None and message.reply_to.sender is bot:
        return True
    if message.text.startswith("/") and not _FOR_ONE_BOT.match(message.text):
        return True
    return (bot.username or "").lower() in (name.lower() for name in _NAME.findall(message.text))
