"""Visibility of group messages for bots."""

from typing import Any

from tgllm.testing.emulator.markup.text import slice_utf16
from tgllm.testing.emulator.state.bots import EmulatedBot
from tgllm.testing.emulator.state.records import EmulatedMessage

__all__ = ["hears"]


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
    return any(_is_for(bot, message.text, entity) for entity in message.entities)


def _is_for(bot: EmulatedBot, text: str, entity: dict[str, Any]) -> bool:
    """Return whether an entity is a mention of the bot, a command to it, or a command to any bot."""
    words = slice_utf16(text, int(entity["offset"]), int(entity["length"]))
    name = (bot.username or "").lower()
    match entity["type"]:
        case "mention":
            return words[1:].lower() == name
        case "text_mention":
            return entity["user"].get("id") == bot.id
        case "bot_command":
            _, _, addressee = words.partition("@")
            return addressee.lower() == name if addressee else entity["offset"] == 0
        case _:
            return False
