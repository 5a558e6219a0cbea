"""Messages with pictures or files, alone or as an album: their captions, and which messages belong together.

Telegram sends an album as one message for each item, with a common ``media_group_id`` (Bot API: Message). The updates
of the other items are merged into that of the first one, so that an album is one question and gets one notice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from aiogram.types import Message

from tgllm.bot.scope import Scope
from tgllm.bot.turns.addressing import question_of, words_in, written_by
from tgllm.bot.turns.merging import merge_rows, merged_rows, wait_for
from tgllm.bot.updates.formats.written import Written, joined, written_in
from tgllm.bot.updates.mentions import is_raw_heard
from tgllm.bot.updates.raw import message_of
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow
from tgllm.services.chats.group_mode import group_mode

__all__ = ["Album", "album_of"]

WAIT_SECONDS = 1.0
"""How long an album waits for its next item; the items arrive shortly after each other."""
MOST_ITEMS = 10
"""Most items of an album. Bot API: sendMediaGroup."""
REACH = 500
"""Number of earlier updates that are searched for items of the same album."""


@dataclass(frozen=True, slots=True)
class Album:
    """One message with an attachment, or the messages of an album."""

    written: Written
    """The captions."""
    words: Written
    """The captions, without the mention of the bot."""
    message_ids: Sequence[int]
    """In order; a message has one attachment."""
    is_told: bool
    """Whether earlier items of the same album have been handled: these items are late."""


async def album_of(message: Message, scope: Scope) -> Album:
    """Return the attachment of a message, with all items of its album."""
    group_id = message.media_group_id
    if group_id is None:
        return Album(written_by(message), question_of(message, scope), (message.message_id,), is_told=False)
    rows = [scope.row, *await merged_rows(scope)]
    while len(rows) < MOST_ITEMS:
        more = await wait_for(scope, lambda waiting: _items_of(group_id, waiting) or None, WAIT_SECONDS)
        if more is None:
            break
        rows += await merge_rows(scope, more)
    items = sorted((message_of(row.payload) for row in rows), key=_message_id)
    captions = [written for item in items if (written := written_in(item)).text]
    words = [words for written in captions if (words := _words(written, scope)).text]
    is_told = await scope.read(lambda conn: _is_told(conn, group_id, scope))
    return Album(joined(captions, "\n"), joined(words, "\n"), [_message_id(item) for item in items], is_told)


def _items_of(group_id: str, rows: Sequence[InboxRow]) -> list[InboxRow]:
    return [row for row in rows if message_of(row.payload).get("media_group_id") == group_id]


def _is_told(conn: Connection, group_id: str, scope: Scope) -> bool:
    """Return whether an earlier item was handled; in a group, only items for the bot were."""
    row, parts = scope.row, scope.parts
    before = inbox.ended_before(conn, scope.lane.key, row.update_id, REACH)
    items = [message_of(item.payload) for item in _items_of(group_id, before) if item.leader_id != row.update_id]
    if scope.chat.is_private or not items:
        return bool(items)
    mode = group_mode(conn, scope.lane.access_id)
    return any(is_raw_heard(item, parts.bot_id, parts.username, mode) for item in items)


def _words(written: Written, scope: Scope) -> Written:
    return words_in(written, scope.parts.bot_id, scope.parts.username, is_private=scope.chat.is_private)


def _message_id(message: Mapping[str, Any]) -> int:
    return cast("int", message["message_id"])
