"""Links to messages in Telegram."""

from typing import Final

__all__ = ["message_link"]

_SUPERGROUPS: Final = -1_000_000_000_000
"""Ids of supergroups and channels are this minus the number in links. Bot API: Chat; tdlib: DialogId."""


def message_link(chat_id: int, message_id: int | None) -> str | None:
    """Return the link that opens a message for members of its chat; None for private chats and basic groups.

    Args:
        chat_id: Telegram's id of the chat.
        message_id: Telegram's id of the message; None: it is unknown.
    """
    if message_id is None or chat_id >= _SUPERGROUPS:
        return None
    return f"https://t.me/c/{_SUPERGROUPS - chat_id}/{message_id}"
