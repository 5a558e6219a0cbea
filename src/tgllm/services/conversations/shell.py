"""Conversations of the shell: lanes, and their list."""

import secrets
from collections.abc import Sequence

from tgllm.api import ChatInfo, UserInfo
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations
from tgllm.db.tables.conversations import Conversation
from tgllm.db.tables.usage import NO_USER
from tgllm.services.common.lane import SHELL_CHAT_ID, Lane

__all__ = ["CHAT", "new_lane", "operator", "past"]

CHAT = ChatInfo(SHELL_CHAT_ID, "private")
_PREFIX = f":{SHELL_CHAT_ID}:"
_BITS = 62
"""Of the number of a lane, which an SQLite integer holds."""


def operator(language: str) -> UserInfo:
    """Return the one who uses the shell: an owner of the bot, and no person of Telegram."""
    return UserInfo(id=NO_USER, name="", role="owner", language=language)


def new_lane() -> str:
    """Return the lane of a new conversation. Each has its own, so that two shells don't continue one another's."""
    return Lane(SHELL_CHAT_ID, 1 + secrets.randbits(_BITS)).key


def past(conn: Connection, most: int) -> Sequence[Conversation]:
    """Return the conversations of the shell that are not empty, the last changed first."""
    return conversations.list_in(conn, _PREFIX, most)
