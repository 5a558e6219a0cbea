"""Entities of links and custom emoji in markup. Source: Bot API, "Formatting options"."""

import re
from typing import Any

from tgllm.testing.emulator.markup.links import is_link
from tgllm.testing.emulator.protocol.errors import broken_markup

__all__ = ["emoji_entity", "link_entity"]

_MENTION = re.compile(r"(?i)tg:(?://)?user\?id=([0-9]{1,15})$")
_EMOJI_ID = re.compile(r"[1-9][0-9]{0,18}")


def link_entity(url: str) -> dict[str, Any]:
    """Return a link or a mention of a user by id; empty for a URL that Telegram does not accept."""
    if mention := _MENTION.match(url):
        return {"type": "text_mention", "user": {"id": int(mention[1])}}
    return {"type": "text_link", "url": url} if is_link(url) else {}


def emoji_entity(emoji_id: str) -> dict[str, Any]:
    """Return a custom emoji. Raises BotApiError 400 for an invalid id."""
    if not _EMOJI_ID.fullmatch(emoji_id):
        raise broken_markup("Invalid custom emoji identifier specified")
    return {"type": "custom_emoji", "custom_emoji_id": emoji_id}
