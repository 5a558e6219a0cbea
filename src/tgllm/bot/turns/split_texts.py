"""Joins long texts that a client has split into several messages.

Telegram's apps split a text of more than 4096 UTF-16 units into messages that are full except the last one, and send
them in order. The updates of the others are merged into the first one in the inbox, so that a restart finds them
together.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from aiogram.types import Message

from tgllm.bot.scope import Scope
from tgllm.bot.turns.addressing import written_by
from tgllm.bot.turns.merging import merge_rows, merged_rows, wait_for
from tgllm.bot.updates.formats.written import Written, joined, written_in
from tgllm.bot.updates.values import as_mapping
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow
from tgllm.services.common.text import MESSAGE_LIMIT

__all__ = ["Pasted", "may_be_full", "whole_text"]

WAIT_SECONDS = 1.0
"""How long a full message waits for the next part."""
MOST_PARTS = 50


@dataclass(frozen=True, slots=True)
class Pasted:
    """The joined text of one or several messages."""

    written: Written
    message_ids: Sequence[int]
    """In order."""


async def whole_text(message: Message, scope: Scope) -> Pasted:
    """Return the text of a message and of those that continue it.

    Only in private chats: in groups the later parts do not address the bot.
    """
    parts = [Pasted(written_by(message), (message.message_id,))]
    if scope.chat.is_private and may_be_full(parts[0].written.text):
        parts += [part for row in await merged_rows(scope) if (part := _part(row)) is not None]
        while len(parts) < MOST_PARTS and may_be_full(parts[-1].written.text):
            following = await _next_part(scope, parts[-1].written.text)
            if following is None:
                break
            parts.append(following)
    return Pasted(joined([part.written for part in parts]), tuple(part.message_ids[0] for part in parts))


async def _next_part(scope: Scope, text: str) -> Pasted | None:
    """Merge the message that continues ``text`` into the update; return None if none arrives in time."""
    following = await wait_for(scope, lambda rows: rows[0] if rows else None, WAIT_SECONDS)
    part = None if following is None else _part(following)
    if following is None or part is None or not _continues(text, part.written.text):
        return None
    first, last = scope.row.update_id, following.update_id
    # A command that did not wait for its turn is not among the rows, but it stands between the two texts.
    if await scope.read(lambda conn: inbox.has_overtaken(conn, scope.lane.key, first, last)):
        return None
    merged = await merge_rows(scope, [following])
    return (_part(merged[0]) or part) if merged else None


def _part(row: InboxRow) -> Pasted | None:
    """Return a plain message as a part; None for replies, forwarded messages and commands, which are separate."""
    message = as_mapping(json.loads(row.payload).get("message"))
    if "reply_to_message" in message or "forward_origin" in message:
        return None
    text, message_id = message.get("text"), message.get("message_id")
    if not isinstance(text, str) or not isinstance(message_id, int) or text.startswith("/"):
        return None
    return Pasted(written_in(message), (message_id,))


def may_be_full(text: str) -> bool:
    """Return whether a text may be continued by the next message."""
    # A full message has one unused unit if its next character takes two.
    return _units(text) >= MESSAGE_LIMIT - 1


def _continues(text: str, following: str) -> bool:
    """Return whether the next message begins with a character that did not fit this one."""
    return _units(text) + _units(following[:1]) > MESSAGE_LIMIT


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
