"""Selection of the command list that a client shows in a chat."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tgllm.testing.emulator.state.bots import EmulatedBot
from tgllm.testing.emulator.state.records import EmulatedChat

__all__ = ["scope_key", "shown_commands"]


def scope_key(scope: Mapping[str, Any]) -> str:
    """Return the key for a bot's commands in a BotCommandScope."""
    return json.dumps(scope, sort_keys=True)


def shown_commands(bot: EmulatedBot, chat: EmulatedChat) -> list[dict[str, Any]]:
    """Return the commands that all members of a chat see; in a private chat, in the language of its user.

    Source: Bot API, BotCommandScope, "Determining list of commands". Lists for single members or for administrators
    of a group are ignored, because only some members see them.
    """
    language = chat.user.language_code if chat.user else None
    languages = [language, ""] if language else [""]
    keys = ((scope_key(scope), code) for scope in _scopes(chat) for code in languages)
    return next((bot.commands[key] for key in keys if bot.commands.get(key)), list[dict[str, Any]]())


def _scopes(chat: EmulatedChat) -> Iterator[dict[str, Any]]:
    """Yield the scopes from the narrowest to the widest."""
    yield {"type": "chat", "chat_id": chat.id}
    yield {"type": "all_private_chats" if chat.is_private else "all_group_chats"}
    yield {"type": "default"}
