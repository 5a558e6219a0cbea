"""Answers to people who write in the name of a chat: anonymous admins of a group, and owners of a channel.

Telegram does not say who they are, so their messages are neither stored nor answered. If one is addressed to the bot,
the group is told why there is no answer, as rarely as people without access are.
"""

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any

from tgllm.bot.delivery.rows import PLACEHOLDER, message_rows
from tgllm.bot.parts import BotParts
from tgllm.bot.updates.command import named_command
from tgllm.bot.updates.formats.written import written_in
from tgllm.bot.updates.mentions import is_raw_heard
from tgllm.bot.updates.places import lane_of_chat_author
from tgllm.bot.updates.values import as_id
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.outbox import NOTICE, NewOutbox
from tgllm.services.access.stranger_limits import Key
from tgllm.services.chats.group_mode import group_mode

__all__ = ["answer_to_chat_author"]


def answer_to_chat_author(
    conn: Connection, message: Mapping[str, Any], parts: BotParts, commands: Container[str], answered: set[Key]
) -> list[NewOutbox]:
    """Return the answer to a message in the name of a chat; empty if it expects none, or had one a short while ago.

    Args:
        conn: in the transaction that stores the update.
        message: the raw message.
        parts: of the bot.
        commands: names of all commands; an unknown one without a name may be meant for another bot.
        answered: receives the answer for the limits, which count it after the commit.
    """
    lane = lane_of_chat_author(message)
    if lane is None:
        return []
    mode = group_mode(conn, lane.access_id)
    # In a group where every message is answered, most of them are not for the bot alone.
    if not is_raw_heard(message, parts.bot_id, parts.username, "mention" if mode == "always" else mode):
        return []
    command = named_command(written_in(message))
    if command is not None and not command.addressee and command.name not in commands:
        return []
    key = ("chat_author", lane.chat_id)
    if not parts.core.access.limits.allows(key, answered):
        return []
    answered.add(key)
    rows = message_rows(lane, parts.core.texts("access.chat_author"), reply_to=as_id(message.get("message_id")))
    return [replace(row, payload={**row.payload, PLACEHOLDER: True}, priority=NOTICE) for row in rows]
